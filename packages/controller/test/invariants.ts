import {
  ConfigurationKind,
  DeploymentKind,
  findCondition,
  IngressKind,
  KnativeServiceKind,
  labels,
  RevisionKind,
  RouteKind,
} from "@rouse/shared";
import { expect } from "vitest";
import { isObserved, isReady } from "../src/pass/readiness.ts";
import type { FakePlatform, WithConditions } from "./fake-platform.ts";

const ROUTES = "serving.knative.dev/routes";
/** Kinds whose Ready is made of others. */
const CONDITIONED = [KnativeServiceKind, RouteKind, ConfigurationKind, RevisionKind] as const;

/** What must be true at any moment, however far the controllers have come; remembers what may not change. */
export class Invariants {
  readonly #platform: FakePlatform;
  readonly #specs = new Map<string, string>();
  readonly #latest = new Map<string, { readonly uid: string; readonly generation: number }>();
  readonly #routed = new Set<string>();

  constructor(platform: FakePlatform) {
    this.#platform = platform;
  }

  /** To be called between steps. */
  async check(): Promise<void> {
    await this.#checkRevisions();
    await this.#checkLatestReady();
    await this.#checkIngresses();
    await this.#checkConditions();
    await this.#checkRouted();
  }

  /** What must be true as well once everything has come to rest. */
  async checkAtRest(): Promise<void> {
    for (const { metadata } of (await this.#platform.client.list(RevisionKind)).items) {
      const isReserve = metadata.labels?.[labels.routingState] === "reserve";
      const isRouted = metadata.annotations?.[ROUTES] !== undefined;
      const isPending = metadata.labels?.[labels.routingState] === "pending";
      if (!isPending) expect([metadata.name, isReserve]).toEqual([metadata.name, !isRouted]); // CI-8
    }
  }

  /** CI-2 */
  async #checkRevisions(): Promise<void> {
    const { items } = await this.#platform.client.list(RevisionKind);
    const made = new Set<string>();
    for (const { metadata, spec } of items) {
      const text = JSON.stringify(spec);
      expect([metadata.name, text]).toEqual([metadata.name, this.#specs.get(metadata.uid) ?? text]);
      this.#specs.set(metadata.uid, text);
      if (!/-\d{5}$/.test(metadata.name)) continue;
      const of = `${metadata.labels?.[labels.configuration]} ${metadata.labels?.[labels.configurationGeneration]}`;
      expect([metadata.name, made.has(of)]).toEqual([metadata.name, false]);
      made.add(of);
    }
  }

  /** CI-3 */
  async #checkLatestReady(): Promise<void> {
    const { items: revisions } = await this.#platform.client.list(RevisionKind);
    for (const { metadata, spec, status } of (await this.#platform.client.list(ConfigurationKind)).items) {
      const { latestReadyRevisionName: name } = status ?? {};
      const revision = revisions.find((one) => one.metadata.name === name);
      if (revision === undefined) continue;
      const generation = Number(revision.metadata.labels?.[labels.configurationGeneration]);
      const before = this.#latest.get(metadata.uid);
      const stillThere = revisions.some((one) => one.metadata.uid === before?.uid);
      if (before !== undefined && stillThere && spec.template.metadata?.name === undefined) {
        expect(generation).toBeGreaterThanOrEqual(before.generation);
      }
      this.#latest.set(metadata.uid, { uid: revision.metadata.uid, generation });
    }
  }

  /** CI-5, CI-7 */
  async #checkIngresses(): Promise<void> {
    const { items } = await this.#platform.client.list(IngressKind);
    const left = new Set(items.map(({ metadata }) => metadata.name));
    for (const name of this.#routed) expect([name, left.has(name)]).toEqual([name, true]);
    for (const { metadata, spec } of items) {
      for (const { http } of spec.rules) {
        for (const { splits } of http.paths) {
          expect(splits.reduce((sum, { percent }) => sum + percent, 0)).toBe(100);
          for (const { serviceName, percent } of splits) {
            expect(percent).toBeGreaterThan(0);
            expect([serviceName, this.#platform.everReady.has(serviceName)]).toEqual([serviceName, true]);
          }
        }
      }
      const main = spec.rules.flatMap(({ hosts }) => hosts ?? []).includes(`${metadata.name}.default`);
      if (main) this.#routed.add(metadata.name);
      expect([metadata.name, main]).toEqual([metadata.name, this.#routed.has(metadata.name)]);
    }
  }

  /** CI-4 */
  async #checkConditions(): Promise<void> {
    for (const kind of CONDITIONED) {
      for (const object of (await this.#platform.client.list<WithConditions>(kind)).items) {
        const { metadata, status } = object;
        const conditions = status?.conditions ?? [];
        if (findCondition(conditions, "Ready")?.status !== "True" || !isObserved(object)) continue;
        for (const { type, severity, status: is } of conditions) {
          if (severity === undefined)
            expect([metadata.name, type, is]).toEqual([metadata.name, type, "True"]);
        }
      }
    }
  }

  /** CI-8: whatever a Route that is ready sends requests to is in use. */
  async #checkRouted(): Promise<void> {
    for (const route of (await this.#platform.client.list(RouteKind)).items) {
      if (!isReady(route)) continue;
      for (const { revisionName = "", percent = 0 } of route.status?.traffic ?? []) {
        if (percent === 0) continue;
        const { items } = await this.#platform.client.list(RevisionKind);
        const state = items.find(({ metadata }) => metadata.name === revisionName)?.metadata.labels;
        expect([revisionName, state?.[labels.routingState]]).toEqual([revisionName, "active"]);
      }
    }
  }
}

/** Replicas by Deployment, which only whoever scales may change. CI-14 */
export async function replicasOf(platform: FakePlatform): Promise<ReadonlyMap<string, number>> {
  const { items } = await platform.client.list(DeploymentKind);
  return new Map(items.map(({ metadata, spec }) => [metadata.name, spec.replicas ?? 1]));
}
