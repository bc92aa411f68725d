// A clock that a test moves: where VESTIBULE_TEST_CLOCK names a file, it says by how many seconds this process is ahead.
// To be imported before anything else.
import { readFileSync } from 'node:fs';

const file = process.env.VESTIBULE_TEST_CLOCK;
if (file) {
  const System = Date;
  const now = () => System.now() + Number(readFileSync(file, 'utf8')) * 1000;
  globalThis.Date = class extends System {
    constructor(...parts) {
      super(...(parts.length === 0 ? [now()] : parts));
    }

    static now() {
      return now();
    }
  };
}
