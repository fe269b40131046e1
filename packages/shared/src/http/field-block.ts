import type { HeadFields } from "./exchange.ts";
import type { FieldId } from "./field.ts";
import { COMMA, HTAB, isText, SP } from "./grammar.ts";

/** Numbers kept per field: where its name starts, where its colon is, which `field` it is. */
const STRIDE = 3;

/**
 * The field lines of a head, as places in the bytes they came in. A string is made when someone asks for one.
 * The bytes are checked before a line is added: every line is `name ":" value CRLF`, without folding.
 */
export class FieldBlock implements HeadFields {
  bytes: Buffer;
  /** Where the first field line starts, and where the empty line behind the last one is. */
  fieldsFrom = 0;
  fieldsTo = 0;
  /** Bit `1 << id` is set when the field occurs. */
  seen = 0;
  /** Every line is exactly `name: value`, so that runs of lines may be copied as they are. */
  isTidy = true;
  readonly #places: number[] = [];

  constructor(bytes: Buffer) {
    this.bytes = bytes;
  }

  get count(): number {
    return this.#places.length / STRIDE;
  }

  add(nameFrom: number, colonAt: number, id: FieldId): void {
    this.#places.push(nameFrom, colonAt, id);
    this.seen |= 1 << id;
  }

  lineFrom(index: number): number {
    return this.#places[index * STRIDE] ?? this.fieldsTo;
  }

  colonAt(index: number): number {
    return this.#places[index * STRIDE + 1] ?? this.fieldsTo;
  }

  id(index: number): number {
    return this.#places[index * STRIDE + 2] ?? 0;
  }

  name(index: number): string {
    return this.bytes.toString("latin1", this.lineFrom(index), this.colonAt(index));
  }

  /** First byte of the value behind white space; equal to `valueTo` for an empty one. */
  valueFrom(index: number): number {
    const to = this.lineFrom(index + 1) - 2;
    let at = this.colonAt(index) + 1;
    while (at < to && isSpace(this.bytes[at])) at++;
    return at;
  }

  valueTo(index: number): number {
    const from = this.colonAt(index) + 1;
    let at = this.lineFrom(index + 1) - 2;
    while (at > from && isSpace(this.bytes[at - 1])) at--;
    return at;
  }

  value(index: number): string {
    const from = this.valueFrom(index);
    return this.bytes.toString("latin1", from, Math.max(from, this.valueTo(index)));
  }

  isNamed(index: number, name: string): boolean {
    return isText(this.bytes, this.lineFrom(index), this.colonAt(index), name);
  }

  /** Index of the first field with this id, −1 without one. */
  indexOf(id: FieldId): number {
    if ((this.seen & (1 << id)) === 0) return -1;
    const count = this.count;
    for (let index = 0; index < count; index++) if (this.id(index) === id) return index;
    return -1;
  }

  get(name: string): string | undefined {
    const index = this.#find(name);
    return index < 0 ? undefined : this.value(index);
  }

  has(name: string): boolean {
    return this.#find(name) >= 0;
  }

  all(name: string): readonly string[] {
    const values: string[] = [];
    for (let index = 0; index < this.count; index++)
      if (this.isNamed(index, name)) values.push(this.value(index));
    return values;
  }

  *entries(): IterableIterator<readonly [name: string, value: string]> {
    for (let index = 0; index < this.count; index++) yield [this.name(index), this.value(index)];
  }

  /** Members of the comma-separated lists of all fields with this id, trimmed, empty ones left out. */
  members(id: FieldId): string[] {
    const found: string[] = [];
    for (let index = 0; index < this.count; index++) {
      if (this.id(index) !== id) continue;
      const to = this.valueTo(index);
      let from = this.valueFrom(index);
      for (let at = from; at <= to; at++) {
        if (at < to && this.bytes[at] !== COMMA) continue;
        const member = this.bytes.toString("latin1", from, at).trim();
        if (member !== "") found.push(member);
        from = at + 1;
      }
    }
    return found;
  }

  #find(name: string): number {
    const places = this.#places;
    const length = name.length;
    for (let at = 0; at < places.length; at += STRIDE) {
      const from = places[at] ?? 0;
      const to = places[at + 1] ?? 0;
      if (to - from === length && isText(this.bytes, from, to, name)) return at / STRIDE;
    }
    return -1;
  }
}

function isSpace(byte: number | undefined): boolean {
  return byte === SP || byte === HTAB;
}
