import type { StoredObject } from "./stored-object.ts";

/** One stored change, enough to repeat it. */
export type ChangeRecord =
  | { readonly type: "put"; readonly object: StoredObject }
  | {
      readonly type: "delete";
      readonly apiVersion: string;
      readonly kind: string;
      readonly namespace: string;
      readonly name: string;
      readonly resourceVersion: string;
    };

/** What a journal holds: changes and, where it was written anew, how far the store had come. */
export type JournalRecord = ChangeRecord | { readonly type: "version"; readonly resourceVersion: string };

/** Where changes are written down before they can be read. */
export interface Journal {
  /** Takes a change in order. Throwing refuses the write; whether it survives a crash is the journal's own contract. */
  append(record: ChangeRecord): void;
}

/** Keeps nothing: the store lives as long as its process. */
export const noJournal: Journal = { append: () => {} };
