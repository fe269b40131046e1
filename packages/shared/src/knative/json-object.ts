/** A JSON object whose keys are found without case, as Go's decoder does; a key that fits exactly goes first. */
export class JsonObject {
  readonly #fields: ReadonlyMap<string, unknown>;

  private constructor(fields: ReadonlyMap<string, unknown>) {
    this.#fields = fields;
  }

  /** `null` and absence are an object without fields. @throws TypeError if it is anything else but an object */
  static of(value: unknown, path: string): JsonObject {
    if (value === undefined || value === null) return new JsonObject(new Map());
    if (typeof value !== "object" || Array.isArray(value)) throw new TypeError(`${path} is not an object`);
    return new JsonObject(new Map(Object.entries(value).map(([key, held]) => [key.toLowerCase(), held])));
  }

  object(key: string): JsonObject {
    return JsonObject.of(this.#fields.get(key.toLowerCase()), key);
  }

  has(key: string): boolean {
    return (this.#fields.get(key.toLowerCase()) ?? null) !== null;
  }

  raw(key: string): unknown {
    return this.#fields.get(key.toLowerCase());
  }

  /** @throws TypeError if it is there and no text */
  text(key: string, otherwise: string): string {
    return this.#typed(key, otherwise, (value) => typeof value === "string", "a string");
  }

  number(key: string, otherwise: number): number {
    return this.#typed(key, otherwise, (value) => typeof value === "number", "a number");
  }

  boolean(key: string, otherwise: boolean): boolean {
    return this.#typed(key, otherwise, (value) => typeof value === "boolean", "a boolean");
  }

  #typed<T>(key: string, otherwise: T, is: (value: unknown) => boolean, wanted: string): T {
    const value = this.#fields.get(key.toLowerCase());
    if (value === undefined || value === null) return otherwise;
    if (!is(value)) throw new TypeError(`${key} is not ${wanted}`);
    return value as T; // `is` has just said so
  }
}
