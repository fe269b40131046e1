import type { StoredObject } from "./stored-object.ts";

/** One stored change, enough to repeat it. */
export type JournalRecord =
  | { readonly type: "put"; readonly object: StoredObject }
  | {
      readonly type: "delete";
      readonly apiVersion: string;
      readonly kind: string;
      readonly namespace: string;
      readonly name: string;
      readonly resourceVersion: string;
    };

/** Where changes are written down before they can be read. */
export interface Journal {
  /** Takes a change in order. Throwing refuses the write; whether it survives a crash is the journal's own contract. */
  append(record: JournalRecord): void;
}

/** Keeps nothing: the store lives as long as its process. */
export const noJournal: Journal = { append: () => {} };
