import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { VirtualClock } from "../../clock/virtual-clock.ts";
import { findServer } from "./find-server.ts";

const clock = new VirtualClock();
const yaml = (server: string): string =>
  `current-context: a\ncontexts:\n- name: a\n  context: {cluster: b}\nclusters:\n- name: b\n  cluster:\n    server: ${server}\n`.replace(
    "{cluster: b}",
    "\n    cluster: b",
  );

function file(text: string): string {
  const folder = mkdtempSync(join(tmpdir(), "rouse-kubeconfig-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const path = join(folder, "config");
  writeFileSync(path, text);
  return path;
}

test("a file that is named goes before the pod's own account; of several the first counts", () => {
  const [first, second] = [file(yaml("http://one:1")), file(yaml("http://two:2"))];
  const environment = { KUBECONFIG: `${first}:${second}`, KUBERNETES_SERVICE_HOST: "10.96.0.1" };
  expect(findServer({ clock }, environment)).toMatchObject({ host: "one", port: 1 });
});

test("a file that is not there, or makes no sense, is told", () => {
  expect(() => findServer({ clock }, { KUBECONFIG: "/not/there" })).toThrow("/not/there");
  expect(() => findServer({ clock }, { KUBECONFIG: file("a: |\n") })).toThrow("line 1");
});

test("without a file there is the pod's account, and without a pod nothing", () => {
  expect(() => findServer({ clock }, { KUBECONFIG: "" })).toThrow("no pod");
});
