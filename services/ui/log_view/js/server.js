// Asks the console for parts of the log. Every request carries the page's ticket; one that is over is renewed once.
class Server {
  constructor(renew) {
    Object.assign(this, { renew, ticket: "", address: "", requests: 0 });
  }

  // The answer as an object. Throws an Error with a sentence to show.
  async ask(what, parameters, signal) {
    let response = await this.fetch(what, parameters, signal);
    if (response.status === 403) {
      await this.renewed();
      response = await this.fetch(what, parameters, signal);
    }
    const answer = await response.json().catch(() => ({}));
    if (response.ok) return answer;
    throw new Error([answer.message ?? `The console answered with an error (${response.status}).`, answer.hint].filter(Boolean).join(" "));
  }

  async fetch(what, parameters, signal) {
    this.requests += 1;
    const headers = { "Pilothouse-Ticket": this.ticket };
    try {
      return await fetch(`${this.address}/${what}?${new URLSearchParams(parameters)}`, { headers, signal, cache: "no-store" });
    } catch (error) {
      if (error.name === "AbortError") throw error;
      throw new Unreachable("The console does not answer.");
    }
  }

  // The page is asked to let this person in once more; it answers with a ticket, or not at all.
  async renewed() {
    const old = this.ticket;
    this.renew();
    for (let waited = 0; this.ticket === old && waited < 5000; waited += 100) await pause(100);
  }

  // A form, so that the browser streams the file to disk, and the ticket stands in no address.
  download(parameters) {
    const form = make("form");
    Object.assign(form, { method: "post", action: `${this.address}/download` });
    for (const [name, value] of Object.entries({ ...parameters, ticket: this.ticket })) {
      const field = make("input");
      Object.assign(field, { type: "hidden", name, value });
      form.append(field);
    }
    document.body.append(form);
    form.submit();
    form.remove();
  }
}

class Unreachable extends Error {}

const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));
