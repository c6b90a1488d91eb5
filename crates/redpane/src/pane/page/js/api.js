// Questions to the service. The pane may be mounted anywhere, at an address with a slash at its end or without.
import { parseJson } from './json.js';

/** Where the pane is: this file is in `assets/<hash>/js/` below that. */
const ROOT = new URL('../../../', import.meta.url).href;

/** How long an answer may take that only says why there is none. */
const ANSWER_MS = 5000;

/** An answer that is not a success, in the words of its problem document. */
export class ApiError extends Error {
  constructor(status, message, retryAfter) {
    super(message);
    this.status = status;
    this.retryAfter = retryAfter;
  }
}

/** The address of `path?query` with the parameters that have a value; a list gives its parameter several times. */
export function address(path, parameters = {}) {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    for (const one of Array.isArray(value) ? value : [value]) {
      if (one !== null && one !== undefined && one !== '') query.append(name, one);
    }
  }
  const text = query.toString();
  return `${ROOT}${path}${text ? `?${text}` : ''}`;
}

export async function get(path, parameters, signal) {
  return request(address(path, parameters), { signal });
}

export async function request(url, options = {}) {
  const answer = await fetch(url, { ...options, headers: { accept: 'application/json', ...options.headers } });
  if (answer.ok) return parseJson(await answer.text());
  throw await problemOf(answer);
}

async function problemOf(answer) {
  // The token is another one now, or was never given: the page itself asks for it.
  if (answer.status === 401) location.reload();
  const problem = await answer.json().catch(() => ({}));
  const retryAfter = Number(answer.headers.get('retry-after')) || null;
  return new ApiError(answer.status, problem.detail ?? `the service answered ${answer.status}`, retryAfter);
}

/** Why an address is not answered as asked, or null where it is; the answer itself, which may never end, is not read. */
export async function refusal(url) {
  const controller = new AbortController();
  // A service that hangs refuses nothing.
  const late = setTimeout(() => controller.abort(), ANSWER_MS);
  try {
    const answer = await fetch(url, { signal: controller.signal });
    if (!answer.ok) return await problemOf(answer);
    controller.abort();
    return null;
  } catch (error) {
    return error;
  } finally {
    clearTimeout(late);
  }
}

/** Runs one question at a time: a newer one cancels the one before it, whose answer nobody wants any more. */
export class Latest {
  #controller = null;

  async run(ask) {
    this.#controller?.abort();
    const controller = new AbortController();
    this.#controller = controller;
    try {
      const answer = await ask(controller.signal);
      return controller.signal.aborted ? null : answer;
    } catch (error) {
      if (controller.signal.aborted) return null;
      throw error;
    }
  }
}
