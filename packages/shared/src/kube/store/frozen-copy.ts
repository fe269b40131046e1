import { KubeError } from "../client.ts";
import { isJsonMap } from "./stored-object.ts";

/** Deeper than any object has reason to be, and shallow enough for the call stack. */
const DEPTH_MAX = 200;

/**
 * Makes frozen copies of JSON values, and knows its own: what it made before is shared, not copied, so that writing
 * back a read object with one change costs only that change. Absent members are left out, `null` among them (P-31).
 */
export class FrozenCopies {
  readonly #own = new WeakSet<object>();

  /** @throws KubeError `BadRequest` for what JSON cannot say, or when it is nested too deeply */
  of<T>(value: T): T {
    return this.#copy(value, 0) as T;
  }

  /** Freezes an object whose members are all from here already. */
  seal<T extends object>(object: T): T {
    Object.freeze(object);
    this.#own.add(object);
    return object;
  }

  #copy(value: unknown, depth: number): unknown {
    if (typeof value === "string" || typeof value === "boolean") return value;
    if (typeof value === "number" && Number.isFinite(value)) return value;
    if (value === null || value === undefined) return undefined;
    if (typeof value !== "object" || depth > DEPTH_MAX) throw notJson(value, depth);
    if (this.#own.has(value)) return value;
    if (Array.isArray(value)) return this.seal(value.map((item) => this.#copy(item, depth + 1) ?? null));
    if (!isJsonMap(value)) throw notJson(value, depth);
    const copy: Record<string, unknown> = {};
    for (const [name, member] of Object.entries(value)) {
      const copied = this.#copy(member, depth + 1);
      // A member of this name would change what the copy is, not what it has.
      if (copied !== undefined && name !== "__proto__") copy[name] = copied;
    }
    return this.seal(copy);
  }
}

/** Whether two JSON values are the same, member for member. Shared parts are not looked into. */
export function isSameJson(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (Array.isArray(a) && Array.isArray(b)) {
    return a.length === b.length && a.every((item, index) => isSameJson(item, b[index]));
  }
  if (!isJsonMap(a) || !isJsonMap(b)) return false;
  const names = Object.keys(a);
  return (
    names.length === Object.keys(b).length &&
    names.every((name) => Object.hasOwn(b, name) && isSameJson(a[name], b[name]))
  );
}

function notJson(value: unknown, depth: number): KubeError {
  const what = depth > DEPTH_MAX ? `nested deeper than ${DEPTH_MAX}` : `a ${typeof value}`;
  return new KubeError("BadRequest", `the object provided is unrecognized: it holds ${what}`);
}
