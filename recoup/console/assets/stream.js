// One stream of updates, which comes back by itself and says when it is stale.
const STALE_MS = 6_000;
const AGAIN_MS = 2_000;

export class Stream {
  constructor(url, { onUpdate, onState }) {
    this.url = url;
    this.onUpdate = onUpdate;
    this.onState = onState;
    this.heard = 0;
    this.updates = 0;
    this.csrf = "";
    this.open();
    setInterval(() => this.look(), 1_000);
  }

  open() {
    this.source = new EventSource(this.url);
    this.source.onmessage = (event) => {
      this.heard = Date.now();
      this.updates += 1;
      const update = JSON.parse(event.data);
      if (update.hello) this.csrf = update.hello.csrf;
      this.onState("live");
      this.onUpdate(update);
    };
    this.source.onerror = () => this.look();
  }

  look() {
    if (this.source.readyState === EventSource.CLOSED) {
      // The browser gives up for good when the server refuses; a console that was started anew may let us in.
      this.onState("away");
      if (!this.again) this.again = setTimeout(() => { this.again = null; this.open(); }, AGAIN_MS);
    } else if (this.source.readyState === EventSource.CONNECTING) {
      this.onState(this.heard ? "away" : "connecting");
    } else if (this.heard && Date.now() - this.heard > STALE_MS) {
      this.onState("stale");
    }
  }
}
