// A page that nobody sees gives its connection back, and looks now and then whether there is something to show in its tab.
import { get } from './api.js';

/** Somebody who looks into another tab for a moment misses nothing. */
const HIDDEN_MS = 15_000;
const LOOK_MS = 10_000;

/** `onOverview` is called with what `api/overview` says while the page is hidden. */
export function sleepWhileHidden(feed, onOverview) {
  let timer = null;
  const look = () => get('api/overview').then(onOverview, () => {});
  const wake = () => {
    clearInterval(timer);
    timer = null;
    feed.wake();
  };
  document.addEventListener('visibilitychange', () => {
    clearInterval(timer);
    if (!document.hidden) return wake();
    timer = setTimeout(() => {
      feed.sleep();
      timer = setInterval(look, LOOK_MS);
    }, HIDDEN_MS);
  });
  // A browser keeps pages that were left, with their connections, in case that somebody goes back to them.
  addEventListener('pagehide', () => feed.sleep());
  addEventListener('pageshow', wake);
}
