import { type ObjectKey, objectKey, type Service, type Stored } from "@rouse/shared";

/** Which Services select a pod, without asking every Service about every pod: by one label of each selector. */
export class SelectorIndex {
  /** `namespace/label=value` of one selector entry to the Services with it. */
  readonly #byEntry = new Map<string, Map<ObjectKey, Stored<Service>>>();

  add(service: Stored<Service>): void {
    const entry = entryOf(service);
    if (entry === undefined) return;
    const services = this.#byEntry.get(entry) ?? new Map<ObjectKey, Stored<Service>>();
    this.#byEntry.set(entry, services.set(objectKey(service.metadata), service));
  }

  remove(service: Stored<Service>): void {
    const entry = entryOf(service);
    const services = entry === undefined ? undefined : this.#byEntry.get(entry);
    if (entry === undefined || services === undefined) return;
    services.delete(objectKey(service.metadata));
    if (services.size === 0) this.#byEntry.delete(entry);
  }

  /** Services of the namespace whose whole selector the labels satisfy. */
  matching(namespace: string, labels: Readonly<Record<string, string>>): readonly ObjectKey[] {
    const found: ObjectKey[] = [];
    for (const [label, value] of Object.entries(labels)) {
      for (const [key, service] of this.#byEntry.get(`${namespace}/${label}=${value}`) ?? []) {
        if (selects(service, labels)) found.push(key);
      }
    }
    return found;
  }
}

/** Whether the Service has a selector and every entry of it is among the labels. */
export function selects(service: Service, labels: Readonly<Record<string, string>>): boolean {
  const selector = Object.entries(service.spec.selector ?? {});
  return selector.length > 0 && selector.every(([label, value]) => labels[label] === value);
}

function entryOf(service: Stored<Service>): string | undefined {
  const [first] = Object.entries(service.spec.selector ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
  return first === undefined ? undefined : `${service.metadata.namespace}/${first[0]}=${first[1]}`;
}
