import {
  type Configuration,
  type Informer,
  type KubeObject,
  labels,
  type ObjectKey,
  objectKey,
  type Pod,
  type ReconcileLoop,
  type Revision,
  type Stored,
  semanticEqual,
} from "@rouse/shared";
import type { Caches } from "./caches.ts";
import { refersTo } from "./domain-mapping/domain-mapping-reconciler.ts";
import { isObserved, readyCondition } from "./pass/readiness.ts";
import { podFailure } from "./revision/pod-failure.ts";
import { RouteMentions } from "./route/route-mentions.ts";
import type { LiveSettings } from "./settings/live-settings.ts";

export interface Loops {
  readonly service: ReconcileLoop;
  readonly configuration: ReconcileLoop;
  readonly revision: ReconcileLoop;
  readonly route: ReconcileLoop;
  readonly domainMapping: ReconcileLoop;
  readonly labeler: ReconcileLoop;
  readonly collector: ReconcileLoop;
  readonly serverlessService: ReconcileLoop;
}

export interface Watched {
  readonly caches: Caches;
  readonly settings: LiveSettings;
  readonly loops: Loops;
  /** The Endpoints of the activators. */
  readonly activators: ObjectKey;
}

/** Says who looks again when what changes (C §4.2, K-52). To be called before anything starts. */
export function watchAll(watched: Watched): void {
  watchServing(watched);
  watchDomains(watched);
  watchPods(watched);
  watchServerlessServices(watched);
  watchSettings(watched);
}

/** Everything is looked at again, behind whatever else is waiting. C-11. */
export function resync({ caches, loops }: Watched): void {
  addAll(caches.knativeServices, loops.service);
  addAll(caches.configurations, loops.configuration);
  addAll(caches.configurations, loops.collector);
  addAll(caches.revisions, loops.revision);
  addAll(caches.routes, loops.route);
  addAll(caches.routes, loops.labeler);
  addAll(caches.domainMappings, loops.domainMapping);
  addAll(caches.serverlessServices, loops.serverlessService);
}

function watchServing({ caches, loops }: Watched): void {
  const mentions = new RouteMentions();
  /** Routes that mention an object look again, also when it only now appears. */
  const addMentioning = (
    kind: "configuration" | "revision",
    object: Stored<Configuration> | Stored<Revision>,
  ): void => {
    for (const key of mentions.of(kind, object)) {
      loops.route.add(key);
      loops.labeler.add(key);
    }
  };
  onEach(caches.knativeServices, (service) => loops.service.add(objectKey(service.metadata)));
  onEach(caches.configurations, (configuration) => {
    loops.configuration.add(objectKey(configuration.metadata));
    loops.collector.add(objectKey(configuration.metadata));
    addOwner(loops.service, "Service", configuration);
    addMentioning("configuration", configuration);
  });
  const lookAround = (revision: Stored<Revision>): void => {
    addOwner(loops.configuration, "Configuration", revision);
    addOwner(loops.collector, "Configuration", revision);
    addMentioning("revision", revision);
  };
  caches.revisions.handle({
    changed: (revision, before) => {
      loops.revision.add(objectKey(revision.metadata));
      if (before === undefined || concernsOthers(revision, before)) lookAround(revision);
    },
    removed: lookAround,
  });
  caches.routes.handle({
    changed: (route) => mentions.show(route),
    removed: (route) => mentions.hide(route),
  });
  onEach(caches.routes, (route) => {
    loops.route.add(objectKey(route.metadata));
    loops.labeler.add(objectKey(route.metadata));
    addOwner(loops.service, "Service", route);
  });
  onEach(caches.ingresses, (ingress) => addOwner(loops.route, "Route", ingress));
  onEach(caches.services, (service) => addOwner(loops.route, "Route", service));
  onEach(caches.deployments, (deployment) => addOwner(loops.revision, "Revision", deployment));
  onEach(caches.podAutoscalers, (podAutoscaler) => addOwner(loops.revision, "Revision", podAutoscaler));
}

/** A mapping looks again with its claim, its Ingress and whatever it leads to. C §4.2 */
function watchDomains({ caches, loops }: Watched): void {
  const loop = loops.domainMapping;
  onEach(caches.domainMappings, (mapping) => loop.add(objectKey(mapping.metadata)));
  onEach(caches.clusterDomainClaims, (claim) => {
    for (const { metadata } of caches.domainMappings.list()) {
      if (metadata.name === claim.metadata.name) loop.add(objectKey(metadata));
    }
  });
  onEach(caches.ingresses, (ingress) => addOwner(loop, "DomainMapping", ingress));
  const lookAround = (object: Stored<KubeObject>): void => {
    for (const mapping of caches.domainMappings.list()) {
      if (refersTo(mapping, object.metadata)) loop.add(objectKey(mapping.metadata));
    }
  };
  onEach(caches.services, lookAround);
  onEach(caches.knativeServices, lookAround);
  onEach(caches.routes, lookAround);
}

/**
 * Whether a change of a revision can matter to its Configuration, its Routes or the collector: whether it is ready,
 * and its labels and annotations. A revision that wakes or scales changes none of these, and nobody else looks.
 */
function concernsOthers(revision: Stored<Revision>, before: Stored<Revision>): boolean {
  return !(
    semanticEqual(readyCondition(revision), readyCondition(before)) &&
    isObserved(revision) === isObserved(before) &&
    semanticEqual(revision.metadata.labels, before.metadata.labels) &&
    semanticEqual(revision.metadata.annotations, before.metadata.annotations) &&
    revision.metadata.deletionTimestamp === before.metadata.deletionTimestamp &&
    revision.metadata.uid === before.metadata.uid
  );
}

/**
 * Beyond the reference, which watches no pods: a crash is told when it happens, not when the Deployment next says
 * something. Pods that are well never cause a pass.
 */
function watchPods({ caches, loops }: Watched): void {
  const isFailing = (pod: Stored<Pod> | undefined): boolean =>
    pod !== undefined && podFailure([pod]) !== undefined;
  caches.pods.handle({
    changed: (pod, before) => {
      const name = pod.metadata.labels?.[labels.revision];
      if (name === undefined || !(isFailing(pod) || isFailing(before))) return;
      loops.revision.add(objectKey({ namespace: pod.metadata.namespace, name }));
    },
    removed: () => {},
  });
}

function watchServerlessServices({ caches, loops, activators }: Watched): void {
  const loop = loops.serverlessService;
  onEach(caches.serverlessServices, (sks) => loop.add(objectKey(sks.metadata)));
  onEach(caches.services, (service) => addOwner(loop, "ServerlessService", service));
  onEach(caches.endpoints, ({ metadata }) => {
    if (objectKey(metadata) === activators) addAll(caches.serverlessServices, loop);
    const name = metadata.labels?.[labels.serverlessService];
    if (name === undefined || metadata.labels?.[labels.serviceType] !== "Private") return;
    loop.add(objectKey({ namespace: metadata.namespace, name }));
  });
}

function watchSettings({ caches, loops, settings }: Watched): void {
  settings.onChange((name) => {
    switch (name) {
      case "config-network":
        addAll(caches.domainMappings, loops.domainMapping);
        addAll(caches.routes, loops.route);
        return;
      case "config-domain":
      case "config-features":
        addAll(caches.routes, loops.route);
        return;
      case "config-deployment":
      case "config-autoscaler":
      case "config-observability":
        addAll(caches.revisions, loops.revision);
        return;
      case "config-gc":
        addAll(caches.configurations, loops.collector);
        return;
      case "config-defaults": // for revisions to come
        return;
    }
  });
}

/** The object that controls this one, if it is of `kind`. */
function addOwner(loop: ReconcileLoop, kind: string, object: Stored<KubeObject>): void {
  const owner = object.metadata.ownerReferences?.find((reference) => reference.controller === true);
  if (owner?.kind !== kind) return;
  loop.add(objectKey({ namespace: object.metadata.namespace, name: owner.name }));
}

function addAll<T extends KubeObject>(cache: Informer<T>, loop: ReconcileLoop): void {
  for (const { metadata } of cache.list()) loop.addSlow(objectKey(metadata));
}

function onEach<T extends KubeObject>(cache: Informer<T>, look: (object: Stored<T>) => void): void {
  cache.handle({ changed: look, removed: look });
}
