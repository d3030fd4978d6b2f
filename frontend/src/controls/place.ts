/** Puts an open popover below its anchor, or above where there is no room, and inside the window. */
export function place(card: HTMLElement, anchor: Element): void {
  const gap = 6;
  const edge = 8;
  const at = anchor.getBoundingClientRect();
  const { width, height } = card.getBoundingClientRect();
  const below = at.bottom + gap;
  const top = below + height + edge <= innerHeight ? below : Math.max(edge, at.top - gap - height);
  const left = Math.max(edge, Math.min(at.left, innerWidth - edge - width));
  card.style.left = `${left}px`;
  card.style.top = `${top}px`;
}
