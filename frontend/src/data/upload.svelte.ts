// The visitor's table: a CSV file on its way to the server, and what is learned from its columns.
import * as api from "../api";
import type { UploadedTable } from "../types";
import type { Choice } from "./columns";

export class Upload {
  table = $state.raw<UploadedTable | null>(null);
  filename = $state("");
  /** The columns in use. */
  choice = $state.raw<Choice | null>(null);
  /** The dialog that asks for the columns is open. */
  asking = $state(false);
  busy = $state(false);
  /** Why the last file was not taken. */
  refusal = $state<string | null>(null);

  async take(file: File): Promise<void> {
    this.refusal = null;
    this.busy = true;
    try {
      this.table = await api.uploadCsv(file);
      this.filename = file.name;
      this.choice = null;
      this.asking = true;
    } catch (error) {
      this.refusal = error instanceof Error ? error.message : String(error);
    } finally {
      this.busy = false;
    }
  }

  /** The dialog has closed; with a choice if it was applied. */
  readonly close = (choice: Choice | null): void => {
    this.asking = false;
    this.choice = choice ?? this.choice;
  };
}
