// Which columns of an uploaded table are learned from, and the config that says so.
import type { Component, Table, Task } from "../types";

export interface Choice {
  x1: string;
  /** Empty where x1 is the only input. */
  x2: string;
  target: string;
  /** More inputs: x3, x4, … */
  inputs: string[];
}

/** The columns that a running network learns from. */
export function choiceOf({ input_names, target_name }: Task): Choice {
  const [x1, x2 = "", ...inputs] = input_names;
  return { x1, x2, target: target_name ?? "", inputs };
}

/** Columns that may be inputs. */
export function numbers(table: Table): string[] {
  return table.columns.filter((column) => column.kind === "number").map((column) => column.name);
}

/** Columns that may be further inputs beside what is chosen. */
export function others(table: Table, choice: Choice): string[] {
  return numbers(table).filter((name) => name !== choice.x1 && name !== choice.x2 && name !== choice.target);
}

export type Role = "x1" | "x2" | "target" | "input";

/** What a column is to the network, or null for nothing. */
export function roleOf(table: Table, choice: Choice, name: string): Role | null {
  for (const role of ["target", "x1", "x2"] as const) if (choice[role] === name) return role;
  return choice.inputs.includes(name) && others(table, choice).includes(name) ? "input" : null;
}

/**
 * A column has one role: whoever takes it leaves its own to the one that had it, or another column of numbers where
 * that is none. Without x2 there are no further inputs. */
export function chosen(table: Table, choice: Choice, role: Exclude<Role, "input">, name: string): Choice {
  const next = { ...choice, [role]: name, inputs: choice.inputs.filter((input) => input !== name) };
  for (const other of ["x1", "x2", "target"] as const) {
    if (other === role || !name || choice[other] !== name) continue;
    const left = choice[role];
    const fits = other === "target" ? left !== "" : numbers(table).includes(left);
    next[other] = fits ? left : (others(table, next)[0] ?? "");
    next.inputs = next.inputs.filter((input) => input !== next[other]);
  }
  return next.x2 ? next : { ...next, inputs: [] };
}

/** The `data` of the config. Inputs keep the order of the columns. */
export function asData(table: Table, choice: Choice, trainFraction: number): Component {
  return {
    kind: "csv",
    id: table.id,
    x1: choice.x1,
    x2: choice.x2,
    target: choice.target,
    inputs: others(table, choice).filter((name) => choice.inputs.includes(name)),
    train_fraction: trainFraction,
  };
}

/** All raw inputs, so that every chosen column is learned from. */
export function asFeatures(choice: Choice): string[] {
  return [choice.x1, choice.x2, ...choice.inputs].filter(Boolean).map((_, i) => `x${i + 1}`);
}
