// What makes the pages quicker. Every page works without; each module minds its own elements.
import "./flashes.js";
import "./scheme.js";
import "./frames.js";
import "./composer.js";
import "./keys.js";
import "./mail.js";
import "./previews.js";
