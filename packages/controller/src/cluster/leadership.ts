import { done, type Reconciler } from "@rouse/shared";

/** Lets passes run while this replica leads; in between they are dropped, as the one that leads next looks at all. */
export class Leadership {
  #isLeading = false;

  get isLeading(): boolean {
    return this.#isLeading;
  }

  set isLeading(leads: boolean) {
    this.#isLeading = leads;
  }

  guard(reconciler: Reconciler): Reconciler {
    return {
      name: reconciler.name,
      reconcile: (key) => (this.#isLeading ? reconciler.reconcile(key) : Promise.resolve(done)),
    };
  }
}
