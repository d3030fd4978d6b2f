import { describe, expect, it } from "vitest";
import { arrange, essential, type Placed } from "./arrangement";

const panels: Placed[] = [
  { id: "data", place: "left" },
  { id: "network", place: "centre" },
  { id: "output", place: "right" },
  { id: "curves", place: "centre" },
];
const without = (...ids: string[]) => panels.filter(({ id }) => !ids.includes(id));

describe("the grid of panels", () => {
  it("has three columns where there is room", () => {
    expect(arrange(panels, "wide")).toEqual({
      order: ["data", "network", "output", "curves"],
      areas: '"data network output" "data curves output"',
      columns: "var(--left) minmax(0, 1fr) var(--right)",
    });
  });

  it("has two, and then one, where there is less", () => {
    expect(arrange(panels, "medium")).toEqual({
      order: ["network", "output", "data", "curves"],
      areas: '"network output" "data output" "curves output"',
      columns: "minmax(0, 1fr) var(--right)",
    });
    expect(arrange(panels, "narrow").order).toEqual(["network", "data", "output", "curves"]);
  });

  it("fills a lesson's frame with the essential, and has the rest below", () => {
    expect(essential(panels)).toEqual(["network", "output"]);
    expect(arrange(panels, "frame").areas).toBe('"network output" "data data" "curves curves"');
    expect(arrange(without("output"), "frame")).toEqual({
      order: ["network", "data", "curves"],
      areas: '"network" "data" "curves"',
      columns: "minmax(0, 1fr)",
    });
  });

  it("gives the room of hidden panels to the others", () => {
    expect(arrange(without("data"), "wide").columns).toBe("minmax(0, 1fr) var(--right)");
    expect(arrange(without("data"), "medium").areas).toBe('"network output" "curves output"');
    expect(arrange(without("network", "curves"), "wide")).toMatchObject({
      areas: '"data output"',
      columns: "var(--left) minmax(0, 1fr)",
    });
    expect(arrange([], "wide").order).toEqual([]);
  });

  it("has room for a fifth", () => {
    const more: Placed[] = [...panels, { id: "insights", place: "centre" }];
    expect(arrange(more, "wide").areas).toBe(
      '"data network output" "data curves output" "data insights output"',
    );
    expect(arrange(more, "frame").order.at(-1)).toBe("insights");
    for (const mode of ["wide", "medium", "narrow", "frame"] as const) {
      expect(new Set(arrange(more, mode).order).size).toBe(5);
    }
  });
});
