import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { ExportedMetrics } from "./exported-metrics.ts";
import { at, listAt, type Manifest } from "./manifest.ts";
import { programSources } from "./program-sources.ts";
import { readQuery } from "./promql.ts";
import { manifestsOf } from "./render.ts";

const root = resolve(import.meta.dirname, "../..");
const read = (path: string): string => readFileSync(join(root, path), "utf8");
const dashboard: unknown = JSON.parse(read("docs/guides/observe/dashboard.json"));
const rules = listAt(parse(read("docs/guides/observe/alerts.yaml")), "groups", 0, "rules");
const jobs = listAt(parse(read("docs/guides/observe/scrape.yaml")), "scrape_configs");
const shown = listAt(dashboard, "panels").flatMap((panel) =>
  listAt(panel, "targets").map(
    (target) => [`panel ${at(panel, "title")}`, String(at(target, "expr"))] as const,
  ),
);
const asked = rules.map((rule) => [`alert ${at(rule, "alert")}`, String(at(rule, "expr"))] as const);
/** Labels that come with being scraped, and those of Prometheus' own making. */
const OF_SCRAPING = ["job", "namespace", "pod", "le"];

describe("dashboard and alerts", () => {
  const programs = ["activator", "autoscaler", "controller", "queue-proxy"];
  const sources = programs.flatMap((program) => programSources(root, program));
  const exported = new ExportedMetrics(sources);

  test("there are some", () => {
    expect([shown.length > 20, asked.length]).toEqual([true, 7]);
  });

  test.each([...shown, ...asked])(
    "%s asks in PromQL, for metrics and labels the programs have",
    (_name, query) => {
      const { metrics, labels, errorsAt } = readQuery(query);
      expect(errorsAt, query).toEqual([]);
      expect(metrics.length).toBeGreaterThan(0);
      expect(metrics.filter((metric) => metric !== "up" && !exported.has(metric))).toEqual([]);
      const known = sources.map(({ text }) => text.replace(/(?<=\w)\.(?=\w)/g, "_")).join("\n");
      expect(labels.filter((label) => !OF_SCRAPING.includes(label) && !known.includes(label))).toEqual([]);
    },
  );

  test("a metric nobody exports, and a query that is none, are seen", () => {
    expect(exported.has("kn_revision_pods_count")).toBe(true);
    expect(exported.has("kn_revision_concurrency_stable")).toBe(true); // made from a pattern
    expect(exported.has("kn_revision_pods_wanted")).toBe(false);
    expect(readQuery("sum(rate(x[5m])) by (").errorsAt).not.toEqual([]);
    expect(readQuery('a{b="c"} > on (d) rate(e[$__rate_interval])')).toEqual({
      metrics: ["a", "e"],
      labels: ["b", "d"],
      errorsAt: [],
    });
  });

  test("metrics the guide explains are exported", () => {
    const guide = read("docs/guides/observe.md");
    const named = new Set(
      Array.from(guide.matchAll(/`((?:kn|rouse|http)_[a-z_]*[a-z])`/g), ([, name = ""]) => name),
    );
    expect(named.size).toBeGreaterThan(10);
    expect([...named].filter((name) => !exported.has(name))).toEqual([]);
  });
});

test("every alert has its place in the guide that says what to do", () => {
  const headings = Array.from(
    read("docs/guides/troubleshoot.md").matchAll(/^### (Rouse\w+)$/gm),
    ([, name]) => name,
  );
  expect(rules.map((rule) => at(rule, "alert"))).toEqual(headings);
});

test("jobs find the pods of the manifests by label and port, and queries name jobs there are", () => {
  const deployments = ["activator", "autoscaler", "controller"].flatMap((file): readonly Manifest[] =>
    manifestsOf(read(`deploy/kubernetes/${file}.yaml`)).filter(({ kind }) => kind === "Deployment"),
  );
  const targets = deployments.map((deployment) => {
    const template = at(deployment, "spec", "template");
    const ports = listAt(template, "spec", "containers", 0, "ports").map((port) => at(port, "name"));
    return { app: at(template, "metadata", "labels", "app"), ports };
  });
  const regexOf = (job: unknown, label: string): unknown =>
    at(
      listAt(job, "relabel_configs").find((each) => listAt(each, "source_labels").includes(label)),
      "regex",
    );
  for (const { app, ports } of targets) {
    const job = jobs.find((each) => regexOf(each, "__meta_kubernetes_pod_label_app") === app);
    expect(ports).toContain(regexOf(job, "__meta_kubernetes_pod_container_port_name"));
  }
  const names = jobs.map((job) => at(job, "job_name"));
  for (const [, query] of [...shown, ...asked]) {
    for (const [, name] of query.matchAll(/job="([^"]+)"/g)) expect(names).toContain(name);
  }
});
