// The visitor's table: a file on its way to the server, and what is learned from its columns.
import * as api from "../api";
import { t } from "../i18n";
import type { Table } from "../types";
import type { Choice } from "./columns";

/** How a file is read, where the visitor says. */
export interface Reading {
  header?: boolean;
  sheet?: string;
}

export class Upload {
  table = $state.raw<Table | null>(null);
  /** The columns that the server would take. */
  guess = $state.raw<Choice | null>(null);
  /** The dialog that asks for the columns is open. */
  asking = $state(false);
  busy = $state(false);
  /** Why the last file was not taken. */
  refusal = $state<string | null>(null);
  /** The file itself, gone after a reload: only with it the server can read it in another way. */
  file = $state.raw<File | null>(null);
  /** Id of the table that was asked for last. */
  private wanted = "";

  /** Reads a file, and gives what is in it; when it cannot be read, what there was stays. */
  async take(file: File, mostBytes: number): Promise<Table | null> {
    if (file.size > mostBytes) {
      // The server would close the line before the browser has read its reason.
      this.refusal = t("data.csv.too_large", { file: file.name, limit: Math.floor(mostBytes / 2 ** 20) });
      return null;
    }
    return this.read(file, {});
  }

  /** Reads the same file in another way. */
  readonly again = async (reading: Reading): Promise<void> => {
    if (this.file) await this.read(this.file, reading);
  };

  /** The table of a running network, as after a reload. */
  async find(id: string): Promise<void> {
    if (this.table?.id === id || this.wanted === id) return;
    this.wanted = id;
    try {
      const table = await api.table(id);
      if (this.wanted !== id) return;
      this.table = table;
      this.file = null;
      this.guess = null;
    } catch {
      // The server has forgotten it; another file can be opened.
    }
  }

  private async read(file: File, { header, sheet }: Reading): Promise<Table | null> {
    this.refusal = null;
    this.busy = true;
    try {
      const options: Record<string, string> = {};
      if (header !== undefined) options.header = String(header);
      if (sheet !== undefined) options.sheet = sheet;
      const table = await api.uploadTable(file, options);
      this.wanted = table.id;
      this.table = table;
      this.file = file;
      this.guess = table.picture ? null : (table.chosen as unknown as Choice);
      this.asking = !table.picture;
      return table;
    } catch (error) {
      this.refusal = error instanceof Error ? error.message : String(error);
      return null;
    } finally {
      this.busy = false;
    }
  }

  readonly close = (): void => {
    this.asking = false;
    this.refusal = null;
  };
}
