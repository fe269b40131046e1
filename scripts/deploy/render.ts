import { Kubectl, kubectlArchive } from "@rouse/embedded/testing";
import { parseAllDocuments } from "yaml";
import { isManifest, type Manifest } from "./manifest.ts";

/** Whether this machine has a kubectl to render with. */
export const canRender = kubectlArchive() !== undefined;

/** What `kubectl apply -k` would send, from kustomizations. */
export class Renderer implements Disposable {
  readonly #kubectl = new Kubectl(kubectlArchive() ?? "", "");

  /** @throws with kustomize's own words */
  async render(folder: string): Promise<readonly Manifest[]> {
    const { code, out, err } = await this.#kubectl.run(["kustomize", folder]);
    if (code !== 0 || err !== "") throw new Error(err);
    return manifestsOf(out);
  }

  [Symbol.dispose](): void {
    this.#kubectl[Symbol.dispose]();
  }
}

/** @throws when a document is no YAML, or no object of the API */
export function manifestsOf(text: string): readonly Manifest[] {
  return parseAllDocuments(text).flatMap((document) => {
    if (document.errors.length > 0) throw new Error(String(document.errors[0]));
    const value: unknown = document.toJS();
    if (value === null) return [];
    if (!isManifest(value)) throw new Error(`no object: ${JSON.stringify(value).slice(0, 80)}`);
    return [value];
  });
}
