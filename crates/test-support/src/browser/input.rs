//! What is done to a page: events of a mouse and of keys, as the browser gets them from real ones.

use serde_json::json;

use super::Browser;

impl Browser {
    /// Moves the mouse to a place.
    pub fn hover(&mut self, (x, y): (f64, f64)) {
        self.mouse("mouseMoved", (x, y), 0);
    }

    /// Clicks at a place.
    pub fn click_at(&mut self, place: (f64, f64)) {
        self.hover(place);
        self.mouse("mousePressed", place, 1);
        self.mouse("mouseReleased", place, 1);
    }

    /// Waits until an expression gives an element, scrolls it into sight and clicks on its middle.
    pub fn click(&mut self, what: &str, element: &str) {
        let place = self.place(what, element);
        self.click_at(place);
    }

    /// A point of an element that an expression gives, once it is there and no longer moves: its middle, or where something lies
    /// over it, the first point from the left that can be clicked. The text of a narrow cell goes on, unseen, below the next one.
    pub fn place(&mut self, what: &str, element: &str) -> (f64, f64) {
        let place = format!(
            "(async () => {{ const element = {element}; if (!element) return null;
                element.scrollIntoView({{block: 'center'}});
                const place = () => {{ const box = element.getBoundingClientRect();
                    const points = [0.5, 0.02, 0.1, 0.25, 0.4].map(share => [box.x + box.width * share, box.y + box.height / 2]);
                    return box.width && (points.find(point => element.contains(document.elementFromPoint(...point))) || points[0]); }};
                const before = place(); await new Promise(done => setTimeout(done, 200)); const after = place();
                return after && before[0] === after[0] && before[1] === after[1] && after; }})()"
        );
        let place = self.until(what, &place);
        (place[0].as_f64().unwrap(), place[1].as_f64().unwrap())
    }

    /// Presses at one place, moves to another one in steps, and lets go there.
    pub fn drag(&mut self, from: (f64, f64), to: (f64, f64)) {
        self.hover(from);
        self.mouse("mousePressed", from, 1);
        for part in [0.25, 0.5, 0.75, 1.0] {
            let place = (from.0 + (to.0 - from.0) * part, from.1 + (to.1 - from.1) * part);
            self.mouse("mouseMoved", place, 1);
        }
        self.mouse("mouseReleased", to, 1);
    }

    /// Presses and releases a key: its name, and the character that it writes if it does.
    pub fn press(&mut self, key: &str, character: &str) {
        let event =
            |kind: &str| json!({"type": kind, "key": key, "text": if kind == "keyDown" { character } else { "" }});
        self.connection.ask("Input.dispatchKeyEvent", event("keyDown"));
        self.connection.ask("Input.dispatchKeyEvent", event("keyUp"));
    }

    /// Writes into the field that has the focus.
    pub fn write(&mut self, text: &str) {
        self.connection.ask("Input.insertText", json!({"text": text}));
    }

    fn mouse(&mut self, kind: &str, (x, y): (f64, f64), clicks: u32) {
        let (button, held) = if clicks == 0 { ("none", 0) } else { ("left", u8::from(kind != "mouseReleased")) };
        let event = json!({"type": kind, "x": x, "y": y, "button": button, "buttons": held, "clickCount": clicks});
        self.connection.ask("Input.dispatchMouseEvent", event);
    }
}
