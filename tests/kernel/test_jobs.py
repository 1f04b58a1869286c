"""The lease queue: what is owed is done at least once, by one worker at a time, or it shows."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.db import IntegrityError, connection, connections, transaction
from django_tasks.base import TaskResultStatus
from django_tasks.exceptions import InvalidTaskError, TaskResultDoesNotExist

from deskbell.kernel import jobs
from deskbell.kernel.jobs import execution, presence, queue, schedules
from deskbell.kernel.jobs.backend import task_named
from deskbell.kernel.models import Job, JobState, PeriodicJob, Worker
from tests.kernel import jobs as tasks

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)

pytestmark = pytest.mark.django_db


def claim(worker: str = "one", at: datetime = NOON, limit: int = 10) -> list[Job]:
    return queue.claim(worker=worker, at=at, limit=limit)


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(NOON, tick=False) as traveller:
        yield traveller


class TestEnqueue:
    def test_runs_once_and_keeps_the_result(self):
        result = tasks.add.enqueue(2, right=3)

        assert jobs.run_due() == 1

        result.refresh()
        assert result.status == TaskResultStatus.SUCCESSFUL
        assert result.return_value == 5
        assert jobs.run_due() == 0

    def test_of_a_rolled_back_transaction_leaves_no_job(self):
        with transaction.atomic():
            tasks.add.enqueue(1, 1)
            transaction.set_rollback(True)

        assert not Job.objects.exists()

    def test_later_waits_for_its_time(self, clock):
        tasks.add.using(run_after=NOON + timedelta(hours=1)).enqueue(1, 1)

        assert jobs.run_due() == 0
        clock.move_to(NOON + timedelta(hours=1))
        assert jobs.run_due() == 1

    def test_by_priority_then_by_age(self):
        low = tasks.add.using(priority=-10).enqueue(1, 1)
        first = tasks.add.enqueue(1, 1)
        second = tasks.add.enqueue(1, 1)
        high = tasks.add.using(priority=10).enqueue(1, 1)

        order = [str(job.pk) for job in claim()]

        assert order == [high.id, first.id, second.id, low.id]

    def test_only_of_the_named_queues(self):
        tasks.add.using(queue_name="mail").enqueue(1, 1)
        tasks.add.enqueue(1, 1)

        taken = queue.claim(worker="one", at=NOON, limit=10, queues=["mail"])

        assert [job.queue for job in taken] == ["mail"]

    def test_takes_no_more_than_asked_whatever_plan_the_database_chooses(self):
        for number in range(20):
            tasks.add.using(unique_key=f"add:{number}").enqueue(number, 1)
        if connection.vendor == "postgresql":
            ways = [
                "hashjoin",
                "mergejoin",
                "hashagg",
                "sort",
                "material",
                "memoize",
                "indexscan",
                "bitmapscan",
            ]
            with connection.cursor() as cursor:
                for way in [*ways, "indexonlyscan"]:
                    cursor.execute(f"SET LOCAL enable_{way} = off")

        assert len(claim(limit=1)) == 1

    def test_of_what_json_cannot_hold_is_refused(self):
        with pytest.raises(TypeError):
            tasks.add.enqueue(object(), 1)

    @pytest.mark.parametrize("settings", [{"max_attempts": 0}, {"unique_key": "x" * 201}])
    def test_with_impossible_settings_is_refused(self, settings):
        with pytest.raises(InvalidTaskError):
            tasks.fail.using(**settings).enqueue("x")

    @pytest.mark.parametrize("result_id", ["", "x", "1" * 30, "٣", "999999"])
    def test_an_unknown_result_does_not_exist(self, result_id):
        with pytest.raises(TaskResultDoesNotExist):
            tasks.add.get_result(result_id)


class TestEnqueueEach:
    def test_writes_all_with_one_statement(self, django_assert_num_queries):
        with django_assert_num_queries(1):
            ids = tasks.add.enqueue_each({"a": (1, 2), "b": (3, 4)})

        assert jobs.run_due() == 2
        rows = Job.objects.in_bulk(ids)
        assert [(rows[i].unique_key, rows[i].result) for i in ids] == [("a", 3), ("b", 7)]

    def test_of_nothing_asks_nothing(self, django_assert_num_queries):
        with django_assert_num_queries(0):
            assert tasks.add.enqueue_each({}) == []

    def test_under_a_key_that_waits_is_refused(self):
        tasks.add.enqueue_each({"a": (1, 2)})

        with pytest.raises(IntegrityError), transaction.atomic():
            tasks.add.enqueue_each({"a": (1, 2)})


class TestUniqueKey:
    def test_waits_once_at_the_earlier_time(self):
        once = tasks.fail.using(unique_key="k", run_after=NOON + timedelta(hours=1))
        first = once.enqueue("x")
        second = once.using(run_after=NOON + SECOND).enqueue("x")
        third = once.using(run_after=NOON + timedelta(hours=2)).enqueue("x")

        assert first.id == second.id == third.id
        assert Job.objects.get().run_at == NOON + SECOND

    def test_may_wait_again_while_one_runs_but_not_run_beside_it(self):
        tasks.note.using(unique_key="k").enqueue("x")
        (running,) = claim()
        tasks.note.using(unique_key="k").enqueue("x")

        assert Job.objects.count() == 2
        assert claim("two") == []
        queue.finish(running, result=None, at=NOON)
        assert len(claim("two")) == 1

    def test_a_failure_gives_way_to_the_one_that_waits(self):
        tasks.fail.using(unique_key="k").enqueue("x")
        (running,) = claim()
        tasks.fail.using(unique_key="k").enqueue("x")

        assert queue.fail(running, error="x", at=NOON, again_at=NOON + SECOND)

        running.refresh_from_db()
        assert running.state == JobState.DONE
        assert Job.objects.filter(state=JobState.READY).count() == 1


class TestFailure:
    def test_is_tried_again_after_a_growing_pause_and_ends_as_a_dead_letter(self, clock):
        tasks.fail.enqueue("password=hunter2 went wrong")

        pauses = []
        for _ in range(3):
            assert jobs.run_due() == 1
            assert jobs.run_due() == 0
            job = Job.objects.get()
            pauses.append((job.run_at - NOON).total_seconds())
            clock.move_to(job.run_at)

        assert 3.75 <= pauses[0] <= 6.25
        assert 7.5 <= pauses[1] - pauses[0] <= 12.5
        assert job.state == JobState.DEAD
        assert "RuntimeError" in job.last_error
        assert "hunter2" not in job.last_error
        assert list(jobs.dead_letters()) == [job]
        assert jobs.counts(at=NOON)["dead"] == 1

    def test_that_no_repetition_cures_is_dead_at_once(self):
        result = tasks.refuse.enqueue("no such mailbox")

        jobs.run_due()

        result.refresh()
        assert result.status == TaskResultStatus.FAILED
        assert Job.objects.get().last_error == "no such mailbox"

    def test_may_name_its_own_pause(self):
        tasks.later.enqueue(77)

        jobs.run_due()

        assert Job.objects.get().run_at == NOON + 77 * SECOND

    def test_by_exit_is_a_failure_like_others(self):
        tasks.leave.enqueue()

        jobs.run_due()

        assert Job.objects.get().state == JobState.READY

    def test_of_a_task_that_is_gone_is_recorded(self):
        tasks.add.enqueue(1, 1)
        Job.objects.update(task="tests.kernel.jobs.gone")

        jobs.run_due()

        assert "there is no task" in Job.objects.get().last_error

    def test_a_path_that_is_no_task_is_never_called(self):
        with pytest.raises(LookupError):
            task_named("os.system")

    def test_tells_the_task_which_attempt_it_is(self):
        result = tasks.attempt.enqueue()
        Job.objects.update(attempts=4)

        jobs.run_due()

        result.refresh()
        assert result.return_value == 5

    def test_the_pause_ends_growing(self):
        assert execution.pause_before(1000) <= timedelta(hours=5)

    def test_with_bytes_no_database_holds_is_recorded_without_them(self):
        tasks.fail.enqueue("nul \\x00 and \\ud800")
        (job,) = claim()

        assert queue.fail(job, error="a\x00b\ud800c", at=NOON, again_at=None)

        assert Job.objects.get().last_error == "abc"


class TestDeadLetters:
    def make(self) -> Job:
        tasks.refuse.enqueue("x")
        jobs.run_due()
        return Job.objects.get()

    def test_can_be_tried_again_from_the_start(self):
        job = self.make()

        assert jobs.retry(jobs.dead_letters(), at=NOON) == 1

        job.refresh_from_db()
        assert (job.state, job.attempts) == (JobState.READY, 0)
        assert jobs.run_due() == 1

    def test_can_be_discarded_and_nothing_else_can(self):
        self.make()
        tasks.add.enqueue(1, 1)

        assert jobs.discard(Job.objects.all()) == 1

        assert Job.objects.get().state == JobState.READY


class TestLease:
    def test_keeps_a_job_from_others_until_it_ends(self):
        tasks.add.enqueue(1, 1)
        (mine,) = claim()

        assert claim("two") == []
        assert queue.reclaim(at=NOON + queue.LEASE) == 0
        assert queue.reclaim(at=NOON + queue.LEASE + SECOND) == 1

        (theirs,) = claim("two", at=NOON + queue.LEASE + SECOND)
        assert theirs.pk == mine.pk
        assert theirs.attempts == 2

    def test_is_renewed_while_the_worker_lives(self):
        tasks.add.enqueue(1, 1)
        (mine,) = claim()

        assert queue.renew([mine.lease_token], at=NOON + 20 * SECOND) == 1

        assert queue.reclaim(at=NOON + queue.LEASE + SECOND) == 0

    def test_that_was_lost_lets_nothing_be_written(self):
        tasks.add.enqueue(1, 1)
        (mine,) = claim()
        queue.reclaim(at=NOON + 2 * queue.LEASE)
        (theirs,) = claim("two", at=NOON + 2 * queue.LEASE)

        assert not queue.finish(mine, result=1, at=NOON)
        assert not queue.fail(mine, error="x", at=NOON, again_at=None)
        assert queue.renew([mine.lease_token], at=NOON) == 0
        assert queue.finish(theirs, result=2, at=NOON)

    def test_of_a_job_that_kills_its_workers_ends_as_a_dead_letter(self):
        tasks.fail.enqueue("x")
        at = NOON
        for _ in range(3):
            claim(at=at)
            at += 2 * queue.LEASE
            assert queue.reclaim(at=at) == 1

        assert Job.objects.get().state == JobState.DEAD

    def test_of_a_worker_known_to_be_dead_ends_at_once(self):
        tasks.add.enqueue(1, 1)
        claim("gone")

        assert queue.reclaim(at=NOON, workers=["gone"]) == 1

    def test_given_back_does_not_count_as_an_attempt(self):
        tasks.add.enqueue(1, 1)
        taken = claim()

        assert queue.release(taken, at=NOON) == 1

        job = Job.objects.get()
        assert (job.state, job.attempts) == (JobState.READY, 0)


class TestPeriodic:
    @pytest.fixture(autouse=True)
    def only_ours(self, monkeypatch):
        monkeypatch.setattr(schedules, "_schedules", {})
        jobs.periodic(every=timedelta(hours=1))(tasks.leave)

    def test_starts_at_its_next_multiple(self):
        assert schedules.enqueue_due(at=NOON) == 0
        assert schedules.enqueue_due(at=NOON + timedelta(minutes=59)) == 0
        assert schedules.enqueue_due(at=NOON + timedelta(hours=1)) == 1
        assert Job.objects.get().task == "tests.kernel.jobs.leave"

    def test_writes_nothing_while_there_is_nothing_to_do(self, monkeypatch):
        work: list[int] = []
        monkeypatch.setattr(schedules, "_schedules", {})
        jobs.periodic(every=timedelta(hours=1), unless_idle=lambda at: bool(work))(tasks.leave)
        schedules.enqueue_due(at=NOON)
        before = PeriodicJob.objects.get().due_at

        assert schedules.enqueue_due(at=NOON + timedelta(hours=3)) == 0
        assert (Job.objects.count(), PeriodicJob.objects.get().due_at) == (0, before)
        work.append(1)
        assert schedules.enqueue_due(at=NOON + timedelta(hours=3, minutes=1)) == 1

    def test_missed_times_count_as_one(self):
        schedules.enqueue_due(at=NOON)

        assert schedules.enqueue_due(at=NOON + timedelta(hours=7, minutes=20)) == 1
        assert schedules.enqueue_due(at=NOON + timedelta(hours=7, minutes=21)) == 0
        assert PeriodicJob.objects.get().due_at == NOON + timedelta(hours=8)

    def test_a_slow_run_is_not_piled_up(self):
        schedules.enqueue_due(at=NOON)
        for hour in range(1, 5):
            schedules.enqueue_due(at=NOON + timedelta(hours=hour))

        assert Job.objects.count() == 1

    def test_offset_moves_the_hour(self):
        at_three = schedules.Schedule(tasks.leave, timedelta(days=1), timedelta(hours=3))

        assert at_three.next_after(NOON) == datetime(2026, 3, 3, 3, tzinfo=UTC)

    def test_a_period_below_a_second_is_refused(self):
        with pytest.raises(ValueError, match="one second"):
            jobs.periodic(every=timedelta(milliseconds=1))


class TestPrune:
    def test_deletes_what_was_finished_long_ago_and_keeps_dead_letters_longer(self):
        tasks.add.enqueue(1, 1)
        tasks.refuse.enqueue("x")
        jobs.run_due()
        tasks.add.using(run_after=NOON + timedelta(days=300)).enqueue(1, 1)

        assert queue.prune(at=NOON + timedelta(hours=23)) == 0
        assert queue.prune(at=NOON + timedelta(days=2)) == 1
        assert queue.prune(at=NOON + timedelta(days=91)) == 1
        assert Job.objects.get().state == JobState.READY


class TestPresence:
    def test_a_living_process_is_not_declared_dead(self):
        presence.register(at=NOON)

        assert presence.dead_neighbours() == []

    def test_a_process_that_took_over_the_number_is_another(self):
        row = presence.register(at=NOON)
        Worker.objects.update(process_started=row.process_started - 1)

        assert presence.dead_neighbours() == [row.name]

    def test_workers_of_other_hosts_are_left_to_their_leases(self):
        presence.register(at=NOON)
        Worker.objects.update(host="elsewhere", pid=2**31, process_started=1)

        assert presence.dead_neighbours() == []


@pytest.mark.django_db(transaction=True)
class TestTwoWorkers:
    def test_never_take_the_same_job(self):
        for number in range(120):
            tasks.add.using(priority=number % 3).enqueue(number, 1)
        taken: dict[str, list[int]] = {"one": [], "two": [], "three": []}
        start = threading.Barrier(len(taken))

        def work(name: str) -> None:
            start.wait()
            while got := queue.claim(worker=name, at=NOON, limit=7):
                taken[name] += [job.pk for job in got]
            connections.close_all()

        threads = [threading.Thread(target=work, args=(name,)) for name in taken]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        together = sorted(pk for pks in taken.values() for pk in pks)
        assert together == sorted(Job.objects.values_list("pk", flat=True))

    def test_one_periodic_time_is_enqueued_once(self, monkeypatch):
        monkeypatch.setattr(schedules, "_schedules", {})
        jobs.periodic(every=timedelta(hours=1))(tasks.leave)
        schedules.enqueue_due(at=NOON)
        numbers: list[int] = []
        start = threading.Barrier(3)

        def look() -> None:
            start.wait()
            numbers.append(schedules.enqueue_due(at=NOON + timedelta(hours=1)))
            connections.close_all()

        threads = [threading.Thread(target=look) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert sorted(numbers) == [0, 0, 1]
        assert Job.objects.count() == 1

    def test_a_job_whose_key_was_asked_for_again_waits_for_that_transaction(self):
        """What the second asker writes must be seen by the one job that serves both."""
        tasks.note.using(unique_key="k").enqueue("x")
        seen: list[int] = []

        def look() -> None:
            seen.append(len(queue.claim(worker="two", at=NOON, limit=1)))
            connections.close_all()

        with transaction.atomic():
            tasks.note.using(unique_key="k").enqueue("x")
            other = threading.Thread(target=look)
            other.start()
            if connection.vendor == "postgresql":
                other.join()
                assert seen == [0]
        other.join()
        if connection.vendor == "sqlite":
            # SQLite has one writer: the claim itself waited for the commit.
            assert seen == [1]
