// Keys that work anywhere on the page: space plays and pauses, P presents, Ctrl or Cmd + Z takes back what was done last, and with Shift brings it back.

const TYPING =
  "input:not([type=checkbox], [type=radio], [type=range], [type=button]), textarea, select, [contenteditable]";
const PRESSABLE = "button, a[href], input, summary, [role=button], [tabindex='0']";

export interface Shortcuts {
  play: () => unknown;
  undo: () => unknown;
  redo: () => unknown;
  present: () => unknown;
}

/** Whether the event is of a field that takes text. */
export const typing = ({ target }: Pick<Event, "target">): boolean =>
  target instanceof Element && target.closest(TYPING) !== null;

export function press(event: KeyboardEvent, shortcuts: Shortcuts): void {
  if (typing(event)) return;
  const target = event.target instanceof Element ? event.target : null;
  // In an open dialog, space is the dialog's.
  const inDialog = document.querySelector(":popover-open, dialog[open]") !== null;
  if (event.key === " " && !inDialog && !event.repeat && !event.ctrlKey && !event.metaKey && !event.altKey) {
    // Whoever moves by keyboard presses the focused control; after a click with the mouse, space still plays.
    if (target?.closest(PRESSABLE)?.matches(":focus-visible")) return;
    event.preventDefault();
    shortcuts.play();
  }
  const key = event.key.toLowerCase();
  if (!event.ctrlKey && !event.metaKey) {
    if (key === "p" && !event.altKey && !event.repeat && !inDialog) shortcuts.present();
    return;
  }
  const redo = key === "y" || (key === "z" && event.shiftKey);
  if (!redo && key !== "z") return;
  event.preventDefault();
  if (redo) shortcuts.redo();
  else shortcuts.undo();
}
