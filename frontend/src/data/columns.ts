// Which columns of an uploaded table are learned from, and the config that says so.
import type { Component, UploadedTable } from "../types";

export interface Choice {
  x1: string;
  x2: string;
  target: string;
  /** More inputs: x3, x4, … */
  inputs: string[];
}

const TARGETS = ["target", "label", "labels", "class"];

/**
 * What the server chose, or else what it would choose: a telling name, the last labels, the last column;
 * and all the other numbers as inputs. */
export function firstChoice(table: UploadedTable): Choice {
  const told = table.chosen as Partial<Choice>;
  const named = table.columns.filter((column) => TARGETS.includes(column.name.toLowerCase()));
  const labels = table.columns.filter((column) => column.kind === "label");
  const target =
    told.target ?? [named, labels, table.columns].find((some) => some.length)?.at(-1)?.name ?? "";
  const free = numbers(table).filter((name) => name !== target);
  const choice = { x1: told.x1 ?? free[0] ?? "", x2: told.x2 ?? free[1] ?? "", target, inputs: [] };
  return { ...choice, inputs: Array.isArray(told.inputs) ? [...told.inputs] : others(table, choice) };
}

export function numbers(table: UploadedTable): string[] {
  return table.columns.filter((column) => column.kind === "number").map((column) => column.name);
}

/** Columns that may be further inputs beside what is chosen. */
export function others(table: UploadedTable, choice: Choice): string[] {
  return numbers(table).filter((name) => name !== choice.x1 && name !== choice.x2 && name !== choice.target);
}

export type Role = "x1" | "x2" | "target" | "input";

/** What a column is to the network, or null for nothing. */
export function roleOf(table: UploadedTable, choice: Choice, name: string): Role | null {
  for (const role of ["target", "x1", "x2"] as const) if (choice[role] === name) return role;
  return choice.inputs.includes(name) && others(table, choice).includes(name) ? "input" : null;
}

/** A column has one role: whoever takes it leaves its own to the one that had it. */
export function chosen(choice: Choice, role: Exclude<Role, "input">, name: string): Choice {
  const next = { ...choice, inputs: choice.inputs.filter((input) => input !== name) };
  for (const other of ["x1", "x2", "target"] as const) {
    if (other !== role && choice[other] === name) next[other] = choice[role];
  }
  next[role] = name;
  return next;
}

/** The `data` of the config. Inputs keep the order of the columns. */
export function asData(table: UploadedTable, choice: Choice, trainFraction: number): Component {
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
  return ["x1", "x2", ...choice.inputs.map((_, i) => `x${i + 3}`)];
}
