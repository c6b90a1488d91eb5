// Numbers with units and times, as a person reads them. Pure: no document, no clock.

/** Three significant digits: `0.00123`, `12.3`, `1234`, and `1e-7` where no other form is readable. */
export function digits(value) {
  const size = Math.abs(value);
  if (!Number.isFinite(value)) return Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf';
  // Only here an exponent is shorter than what it stands for.
  if (size >= 1e15 || (size > 0 && size < 1e-6)) return value.toExponential(2).replace(/\.?0*e\+?/, 'e');
  if (size >= 100 || size === 0) return String(Math.round(value));
  const places = size >= 10 ? 1 : size >= 1 ? 2 : Math.min(8, 2 - Math.floor(Math.log10(size)));
  return trimZeros(value.toFixed(places));
}

function trimZeros(text) {
  return text.includes('.') ? text.replace(/\.?0+$/, '') : text;
}

/** Thousands as `k`, `M`, `G`, `T`. */
export function short(value) {
  const size = Math.abs(value);
  if (size >= 1e15) return digits(value);
  for (const [factor, suffix] of [[1e12, 'T'], [1e9, 'G'], [1e6, 'M'], [1e3, 'k']]) {
    // 999.6 would be rounded to 1000.
    if (size >= factor * 0.9995) return digits(value / factor) + suffix;
  }
  return digits(value);
}

/** Seconds as `850 µs`, `12.3 ms`, `1.25 s`, `4 m 10 s`, `3 h 5 m`, `2 d 4 h`. */
export function duration(seconds) {
  if (!Number.isFinite(seconds)) return digits(seconds);
  if (seconds < 0) return `-${duration(-seconds)}`;
  if (seconds === 0) return '0 s';
  if (seconds < 0.0009995) return `${digits(seconds * 1e6)} µs`;
  if (seconds < 0.9995) return `${digits(seconds * 1e3)} ms`;
  if (seconds < 59.95) return `${digits(seconds)} s`;
  const whole = Math.round(seconds);
  for (const [large, small, letters] of [[86400, 3600, 'dh'], [3600, 60, 'hm'], [60, 1, 'ms']]) {
    if (whole >= large) {
      const rest = Math.floor((whole % large) / small);
      return `${Math.floor(whole / large)} ${letters[0]}${rest ? ` ${rest} ${letters[1]}` : ''}`;
    }
  }
  return `${whole} s`;
}

/** Bytes in powers of 1024: `512 B`, `1.5 KiB`, `48 MiB`. */
export function bytes(value) {
  if (!Number.isFinite(value)) return digits(value);
  let rest = value;
  for (const unit of ['B', 'KiB', 'MiB', 'GiB']) {
    if (Math.abs(rest) < 1023.5 || unit === 'GiB') return `${digits(rest)} ${unit}`;
    rest /= 1024;
  }
  return '';
}

/** A share of one as per cent: `0 %`, `0.02 %`, `34.5 %`. What is above zero never reads as zero, and what is below all not as all. */
export function percent(share) {
  if (share > 0 && share < 0.0001) return '< 0.01 %';
  if (share < 1 && share > 0.9999) return '> 99.99 %';
  if (share < 1 && share >= 0.9995) return `${(Math.floor(share * 1e4) / 100).toFixed(2)} %`;
  return `${digits(share * 100)} %`;
}

const UNITS = {
  seconds: duration,
  bytes,
  share: percent,
  // Two requests of a minute are no 0.0333 of a second.
  rate: (value) => (value > 0 && value < 0.1 ? `${short(value * 60)}/min` : `${short(value)}/s`),
  cores: (value) => `${digits(value)} cores`,
  count: short,
  /** Unix time in seconds. */
  moment: (value) => moment(value * 1000),
};

/** Requests below which a quantile says no more than its bucket. */
const FEW = 100;

/**
 * A quantile of so many requests, as exact as it is: `> 10 s` where it lies above all bounds, `≤ 500 ms` where few requests are
 * behind it, else the interpolated time. Without bounds it is as it stands.
 */
export function quantileOf(value, requests, bounds, unit = 'seconds') {
  if (value === null || value === undefined || !bounds?.length) return quantity(value, unit);
  const last = bounds[bounds.length - 1];
  if (value >= last) return `> ${quantity(last, unit)}`;
  if (requests !== null && requests < FEW) return `≤ ${quantity(bounds.find((bound) => bound >= value), unit)}`;
  return quantity(value, unit);
}

/** A value in its unit; a dash where there is none. */
export function quantity(value, unit) {
  if (value === null || value === undefined || Number.isNaN(value)) return '–';
  return (UNITS[unit] ?? short)(value);
}

/** A text of at most so many characters: its beginning and its end, by which two of them are told apart. */
export function cut(text, most) {
  const letters = Array.from(text);
  if (letters.length <= most) return text;
  const end = Math.floor((most - 1) / 2);
  return `${letters.slice(0, most - 1 - end).join('')}…${letters.slice(-end).join('')}`;
}

const two = (number) => String(number).padStart(2, '0');

/** Milliseconds since 1970 as local time of day: `02:13:05`, with `.123` on demand. */
export function clock(ms, withMilliseconds = false) {
  const date = new Date(ms);
  const time = `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
  return withMilliseconds ? `${time}.${String(date.getMilliseconds()).padStart(3, '0')}` : time;
}

/** The local date, `2026-11-29`. */
const day = (date) => `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;

/** Local time, with its date where that is not today's. */
export function moment(ms, now = Date.now()) {
  const date = day(new Date(ms));
  return date === day(new Date(now)) ? clock(ms) : `${date} ${clock(ms)}`;
}

/** Two moments: `19:46:58 to 19:47:58`, the second with its date only where it is another one. */
export function span(from, to, now = Date.now()) {
  const sameDay = day(new Date(from)) === day(new Date(to));
  return `${moment(from, now)} to ${sameDay ? clock(to) : moment(to, now)}`;
}

/** The same moment in UTC, for titles: `2026-11-29 02:13:05.123 UTC`. */
export function utc(ms) {
  return `${new Date(ms).toISOString().replace('T', ' ').replace('Z', '')} UTC`;
}
