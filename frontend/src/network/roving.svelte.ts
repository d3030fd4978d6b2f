// The picture of the network is one stop of the Tab key; arrows move between its units.
import type { Column, Place, Reach, Unit } from "./layout";

const MOVES: Record<string, [layers: number, units: number]> = {
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
};

export class Roving {
  private last = $state.raw<Unit>({ layer: -1, unit: 0 });
  /** The stop must exist, or Tab would pass the picture by. */
  private readonly stop = $derived.by((): Unit => {
    const column = this.columns()[this.last.layer + 1] ?? this.columns()[0];
    return { layer: column.layer, unit: Math.min(this.last.unit, Math.max(0, column.places.length - 1)) };
  });

  /** `columns`: the features first; `look`: called with the unit that is pointed at or has the focus. */
  constructor(
    private readonly columns: () => Column[],
    private readonly stage: () => HTMLElement,
    private readonly look: (at: Unit | null) => void,
  ) {}

  /** What the button of a unit needs, to be reached by pointer, touch and keyboard alike. */
  reach({ layer, unit }: Place): Reach {
    return {
      "data-at": `${layer} ${unit}`,
      tabindex: layer === this.stop.layer && unit === this.stop.unit ? 0 : -1,
      onkeydown: (event) => this.move(event),
      onfocus: () => {
        this.last = { layer, unit };
        this.look({ layer, unit });
      },
      onblur: () => this.look(null),
      onpointerenter: () => this.look({ layer, unit }),
      onpointerleave: () => this.look(null),
    };
  }

  private move(event: KeyboardEvent): void {
    const move = MOVES[event.key];
    if (!move) return;
    const columns = this.columns();
    const column = columns[Math.max(0, Math.min(this.last.layer + 1 + move[0], columns.length - 1))];
    const unit = Math.max(0, Math.min(this.last.unit + move[1], column.places.length - 1));
    this.stage().querySelector<HTMLElement>(`[data-at="${column.layer} ${unit}"]`)?.focus();
    event.preventDefault();
  }
}
