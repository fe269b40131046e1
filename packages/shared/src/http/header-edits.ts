import { assert } from "../invariant.ts";
import type { FieldBlock } from "./field-block.ts";
import { isFieldValue, isSameName, isToken } from "./grammar.ts";

interface HeaderEdit {
  readonly name: string;
  /** `undefined` removes. */
  readonly value: string | undefined;
  /** Fields of that name the message came with are dropped. */
  readonly replaces: boolean;
}

/** What layers change in a head before it is sent on. Kept apart from the head, which stays as it came. */
export class HeaderEdits {
  #edits: HeaderEdit[] = [];

  set(name: string, value: string): void {
    check(name, value);
    this.#forget(name);
    this.#edits.push({ name, value, replaces: true });
  }

  add(name: string, value: string): void {
    check(name, value);
    this.#edits.push({ name, value, replaces: false });
  }

  remove(name: string): void {
    this.#forget(name);
    this.#edits.push({ name, value: undefined, replaces: true });
  }

  /** Whether field `index` of the head as it came is dropped. */
  drops(head: FieldBlock, index: number): boolean {
    for (const edit of this.#edits) if (edit.replaces && head.isNamed(index, edit.name)) return true;
    return false;
  }

  /** Whether fields of this name the head came with are dropped. */
  replaces(name: string): boolean {
    for (const edit of this.#edits) if (edit.replaces && isSameName(edit.name, name)) return true;
    return false;
  }

  /** The value set for `name`; `undefined` when none was. */
  value(name: string): string | undefined {
    for (const edit of this.#edits) {
      if (edit.value !== undefined && isSameName(edit.name, name)) return edit.value;
    }
    return undefined;
  }

  /** Field lines to add, without those named. */
  lines(except: readonly string[]): string {
    let text = "";
    for (const { name, value } of this.#edits) {
      if (value !== undefined && !except.some((other) => isSameName(other, name)))
        text += `${name}: ${value}\r\n`;
    }
    return text;
  }

  *added(): IterableIterator<readonly [name: string, value: string]> {
    for (const { name, value } of this.#edits) if (value !== undefined) yield [name, value];
  }

  #forget(name: string): void {
    if (this.#edits.length > 0) this.#edits = this.#edits.filter((edit) => !isSameName(edit.name, name));
  }
}

/** What goes into a head unchecked would come out as another head. */
function check(name: string, value: string): void {
  assert(isToken(name), "not a header name");
  assert(isFieldValue(value), "not a header value");
}
