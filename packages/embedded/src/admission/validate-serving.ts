import {
  type AnyObject,
  ConfigurationKind,
  DomainMappingKind,
  type FieldError,
  fieldErrors,
  type Kind,
  KnativeServiceKind,
  type KubeObject,
  labels,
  RevisionKind,
  RouteKind,
  semanticEqual,
  under,
} from "@rouse/shared";
import { validateAuthors } from "./authors.ts";
import { specOf } from "./default-serving.ts";
import { validateDomainMapping } from "./domain-mapping.ts";
import type { ServingTemplate } from "./pod-spec.ts";
import { type AdmissionSettings, defaultSettings } from "./settings.ts";
import { validateObjectAnnotations, validateTemplateAnnotations } from "./validate-annotations.ts";
import { validateName, validateTemplateName } from "./validate-name.ts";
import { validateRevisionSpec } from "./validate-revision-spec.ts";
import { validateTraffic } from "./validate-traffic.ts";

export interface ServingRequest {
  readonly kind: Kind<KubeObject>;
  /** Defaulted, and of the shape of its kind. */
  readonly object: AnyObject;
  /** What it replaces; absent for a create. */
  readonly before: AnyObject | undefined;
  readonly settings?: AdmissionSettings;
}

/** What is wrong with a Service, Configuration, Revision or Route; nothing for other kinds. §14.4 */
export function validateServing(request: ServingRequest): readonly FieldError[] {
  const { kind, object, settings = defaultSettings } = request;
  if (kind.group !== KnativeServiceKind.group) return [];
  const { metadata } = object;
  const { annotations = {} } = metadata;
  const { template = {}, traffic = [], ...spec } = specOf(object);
  const authors = validateAuthors(object, request.before);
  if (kind === DomainMappingKind) return [...authors, ...validateDomainMapping(object)];
  const common = [...validateName(metadata), ...authors, ...validateOwner(kind, object, request.before)];
  switch (kind.kind) {
    case KnativeServiceKind.kind:
      return [
        ...common,
        ...validateObjectAnnotations(annotations),
        ...validateTemplate(template, request, settings),
        ...under("spec.traffic", validateTraffic(traffic, "service")),
      ];
    case ConfigurationKind.kind:
      return [
        ...common,
        ...validateObjectAnnotations(annotations),
        ...validateTemplate(template, request, settings),
      ];
    case RouteKind.kind:
      return [
        ...common,
        ...validateObjectAnnotations(annotations),
        ...under("spec.traffic", validateTraffic(traffic, "route")),
      ];
    case RevisionKind.kind:
      if (request.before !== undefined && !semanticEqual(request.before.spec, object.spec)) {
        return [...common, fieldErrors.text("Immutable fields changed (-old +new)", "spec")];
      }
      return [
        ...common,
        ...under("metadata.annotations", validateTemplateAnnotations(annotations, settings)),
        // What was stored under looser settings stays writable (C-144).
        ...(request.before === undefined
          ? under("spec", validateRevisionSpec(spec, { settings, annotations }))
          : []),
      ];
    default:
      return [];
  }
}

function validateTemplate(
  template: ServingTemplate,
  { object, before }: ServingRequest,
  settings: AdmissionSettings,
): readonly FieldError[] {
  const name = template.metadata?.name;
  const stored = before === undefined ? undefined : specOf(before).template;
  const isRenamed = name !== stored?.metadata?.name;
  const annotations = template.metadata?.annotations ?? {};
  const errors: FieldError[] = [];
  if (stored !== undefined && name && !isRenamed && !semanticEqual(stored, template)) {
    const text = "Saw the following changes without a name change (-old +new)";
    errors.push(fieldErrors.text(text, "spec.template.metadata.name"));
  }
  return [
    ...errors,
    ...validateTemplateName(name, object.metadata),
    ...under("spec.template.metadata.annotations", validateTemplateAnnotations(annotations, settings)),
    ...under("spec.template.spec", validateRevisionSpec(template.spec ?? {}, { settings, annotations })),
  ];
}

/**
 * A label that says whose child this is has to be borne out by an owner reference, when it is put there: an owner that
 * is deleted without its children leaves them the label.
 */
function validateOwner(
  kind: Kind<KubeObject>,
  { metadata }: AnyObject,
  before: AnyObject | undefined,
): readonly FieldError[] {
  const [label, ownerKind] =
    kind.kind === RevisionKind.kind
      ? [labels.configuration, ConfigurationKind.kind]
      : [labels.service, KnativeServiceKind.kind];
  if (kind.kind === KnativeServiceKind.kind) return [];
  const owner = metadata.labels?.[label];
  if (owner === undefined || owner === before?.metadata.labels?.[label]) return [];
  const isOwned = metadata.ownerReferences?.some(
    (reference) => reference.kind === ownerKind && reference.name === owner,
  );
  return isOwned ? [] : [fieldErrors.missing(`metadata.labels.${label}`)];
}
