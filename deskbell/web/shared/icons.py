"""Our own drawings on a grid of sixteen: strokes of one and a half, no fills."""

from __future__ import annotations

ICONS = {
    "person": '<circle cx="8" cy="5" r="2.6"/>'
    '<path d="M3 13.6c.5-2.8 2.4-4.2 5-4.2s4.5 1.4 5 4.2"/>',
    "nobody": '<circle cx="8" cy="5" r="2.6" stroke-dasharray="2 1.7"/>'
    '<path d="M3 13.6c.5-2.8 2.4-4.2 5-4.2s4.5 1.4 5 4.2" stroke-dasharray="2 1.7"/>',
    "inbox": '<path d="M2.2 9 4 3.2h8L13.8 9v3.8H2.2V9h3.3l.9 1.8h3.2L10.5 9h3.3"/>',
    "stack": '<path d="m8 2.2 6 3-6 3-6-3 6-3Z"/><path d="m2 8.3 6 3 6-3"/>'
    '<path d="m2 11 6 3 6-3"/>',
    "check": '<path d="m3 8.6 3.3 3.3L13 4.6"/>',
    "search": '<circle cx="7" cy="7" r="4.3"/><path d="m10.3 10.3 3.5 3.5"/>',
    "plus": '<path d="M8 3v10M3 8h10"/>',
    "reply": '<path d="M6.5 3.5 2.5 7.3l4 3.8"/><path d="M2.8 7.3H9c3 0 4.5 1.9 4.5 5.2"/>',
    "note": '<rect x="3.2" y="7" width="9.6" height="6.6" rx="1.3"/>'
    '<path d="M5.3 7V5a2.7 2.7 0 0 1 5.4 0v2"/>',
    "mail": '<rect x="1.9" y="3.4" width="12.2" height="9.2" rx="1.3"/>'
    '<path d="m2.3 4.6 5.7 4.3 5.7-4.3"/>',
    "phone": '<path d="M3.2 2.6h2.4l1.2 3-1.5 1.1a8 8 0 0 0 4 4l1.1-1.5 3 1.2v2.4'
    'c0 .5-.4.9-.9.9C7.3 13.7 2.3 8.7 2.3 3.5c0-.5.4-.9.9-.9Z"/>',
    "web": '<circle cx="8" cy="8" r="6"/><path d="M2 8h12M8 2c2 1.7 2.7 3.7 2.7 6s-.7 4.3-2.7 6'
    'c-2-1.7-2.7-3.7-2.7-6S6 3.7 8 2Z"/>',
    "gear": '<circle cx="8" cy="8" r="2.2"/><path d="M8 1.8v2M8 12.2v2M1.8 8h2M12.2 8h2'
    'M3.6 3.6 5 5M11 11l1.4 1.4M3.6 12.4 5 11M11 5l1.4-1.4"/>',
    "clip": '<path d="m13.3 7.3-5.6 5.6a3.3 3.3 0 0 1-4.7-4.7l5.9-5.9a2.2 2.2 0 0 1 3.1 3.1'
    'l-5.8 5.8a1.1 1.1 0 0 1-1.6-1.6l5.2-5.2"/>',
    "clock": '<circle cx="8" cy="8" r="6"/><path d="M8 4.6V8l2.3 1.7"/>',
    "pause": '<path d="M5.5 3.5v9M10.5 3.5v9"/>',
    "flag": '<path d="M3.5 14V2.6h8.8l-2 3 2 3H3.5"/>',
    "theme": '<circle cx="8" cy="8" r="5.8"/><path d="M8 2.2v11.6"/>'
    '<path d="M8 4.5h4.3M8 8h5.7M8 11.5h4.3"/>',
    "keyboard": '<rect x="1.5" y="4" width="13" height="8.4" rx="1.3"/>'
    '<path d="M4 6.7h.1M6.6 6.7h.1M9.3 6.7h.1M12 6.7h.1M5.3 9.7h5.4"/>',
    "leave": '<path d="M6.5 2.6H3.6c-.6 0-1 .4-1 1v8.8c0 .6.4 1 1 1h2.9"/>'
    '<path d="M10 5.2 12.8 8 10 10.8M12.8 8H6.5"/>',
    "back": '<path d="M9.8 3.2 5 8l4.8 4.8"/>',
    "forth": '<path d="M6.2 3.2 11 8l-4.8 4.8"/>',
    "download": '<path d="M8 2.5v7.8M4.7 7.2 8 10.5l3.3-3.3M2.8 13.3h10.4"/>',
    "picture": '<rect x="2" y="3" width="12" height="10" rx="1.3"/>'
    '<circle cx="5.6" cy="6.3" r="1"/>'
    '<path d="m2.4 11.6 3.6-3 2.3 2 2.3-2.4 3 3"/>',
    "warning": '<path d="M8 2.3 14.3 13.3H1.7L8 2.3Z"/><path d="M8 6.5v3.2M8 11.5v.1"/>',
    "close": '<path d="m4 4 8 8M12 4l-8 8"/>',
    "merge": '<path d="M4 2.5v3.2c0 2.2 1.5 3 4 3.6v4.2M12 2.5v3.2c0 2.2-1.5 3-4 3.6"/>',
    "blocked": '<circle cx="8" cy="8" r="5.8"/><path d="m4 4 8 8"/>',
    "send": '<path d="M14 2.2 1.9 6.6l4.7 2.6 2.7 4.8L14 2.2Z"/><path d="M6.6 9.2 14 2.2"/>',
    "text": '<path d="M2.6 3.6h10.8M2.6 6.6h10.8M2.6 9.6h10.8M2.6 12.6h6.2"/>',
    "bell": '<path d="M3.2 11.6h9.6c-1-1-1.4-2-1.4-4.3a3.4 3.4 0 0 0-6.8 0c0 2.3-.4 3.3-1.4 4.3Z"/>'
    '<path d="M8 3.9V2.4M6.6 13.7c.4.5.8.7 1.4.7s1-.2 1.4-.7"/>',
    "undo": '<path d="M5.6 3 2.4 6.2l3.2 3.2"/><path d="M2.7 6.2h6.6a3.7 3.7 0 0 1 0 7.4H6"/>',
    "again": '<path d="M13 8a5 5 0 1 1-1.6-3.7"/><path d="M13.2 2.2v3h-3"/>',
    "proven": '<path d="M8 1.9 13 3.6v4c0 3.2-2 5.4-5 6.6-3-1.2-5-3.4-5-6.6v-4L8 1.9Z"/>'
    '<path d="m5.7 7.9 1.7 1.7 3-3.3"/>',
    "help": '<circle cx="8" cy="8" r="6"/><path d="M6.3 6.3A1.8 1.8 0 1 1 8 8.3v.9M8 11.3v.1"/>',
}
