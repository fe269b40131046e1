import {
  ConfigurationKind,
  DomainMappingKind,
  type Kind,
  KnativeServiceKind,
  type KubeObject,
  RevisionKind,
  RouteKind,
  rouse,
} from "@rouse/shared";

/** The kinds of Serving that users write. */
export function isServing(kind: Kind<KubeObject>): boolean {
  return [KnativeServiceKind, ConfigurationKind, RevisionKind, RouteKind, DomainMappingKind].some(
    ({ group, plural }) => group === kind.group && plural === kind.plural,
  );
}

type Annotated = { readonly annotations?: Readonly<Record<string, string>> };

/**
 * `object` with the directory its programs are started in where it says none: on the revision template, so that it
 * becomes the revision's own. Design §9.
 */
export function withDirectory(kind: Kind<KubeObject>, object: KubeObject, directory: string): KubeObject {
  if (!isServing(kind)) return object;
  if (kind.kind === RevisionKind.kind) return annotated(object, directory);
  if (kind.kind === RouteKind.kind || kind.kind === DomainMappingKind.kind) return object;
  const spec: unknown = Reflect.get(object, "spec");
  const template = isRecord(spec) ? spec.template : undefined;
  if (!isRecord(spec) || !isRecord(template)) return object;
  return Object.assign({ ...object }, { spec: { ...spec, template: annotated(template, directory) } });
}

function annotated<T extends { readonly metadata?: unknown }>(object: T, directory: string): T {
  const metadata: Annotated = isRecord(object.metadata) ? object.metadata : {};
  const annotations = { [rouse.directory]: directory, ...metadata.annotations };
  return { ...object, metadata: { ...metadata, annotations } };
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
