// Numbers with units and times, as a person reads them. Pure: no document, no clock.

/** Three significant digits without an exponent: `0.00123`, `12.3`, `1234`. */
export function digits(value) {
  const size = Math.abs(value);
  if (size >= 100 || size === 0) return String(Math.round(value));
  const places = size >= 10 ? 1 : size >= 1 ? 2 : Math.min(6, 2 - Math.floor(Math.log10(size)));
  return trimZeros(value.toFixed(places));
}

function trimZeros(text) {
  return text.includes('.') ? text.replace(/\.?0+$/, '') : text;
}

/** Thousands as `k`, `M`, `G`. */
export function short(value) {
  const size = Math.abs(value);
  for (const [factor, suffix] of [[1e9, 'G'], [1e6, 'M'], [1e3, 'k']]) {
    // 999.6 would be rounded to 1000.
    if (size >= factor * 0.9995) return digits(value / factor) + suffix;
  }
  return digits(value);
}

/** Seconds as `850 µs`, `12.3 ms`, `1.25 s`, `4 m 10 s`, `3 h 5 m`, `2 d 4 h`. */
export function duration(seconds) {
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
  let rest = value;
  for (const unit of ['B', 'KiB', 'MiB', 'GiB']) {
    if (Math.abs(rest) < 1023.5 || unit === 'GiB') return `${digits(rest)} ${unit}`;
    rest /= 1024;
  }
  return '';
}

/** A share of one as per cent: `0 %`, `0.02 %`, `34.5 %`. What is above zero never reads as zero. */
export function percent(share) {
  if (share > 0 && share < 0.0001) return '< 0.01 %';
  return `${digits(share * 100)} %`;
}

const UNITS = {
  seconds: duration,
  bytes,
  share: percent,
  rate: (value) => `${short(value)}/s`,
  cores: (value) => `${digits(value)} cores`,
  count: short,
};

/** A value in its unit; a dash where there is none. */
export function quantity(value, unit) {
  if (value === null || value === undefined || Number.isNaN(value)) return '–';
  return (UNITS[unit] ?? short)(value);
}

const two = (number) => String(number).padStart(2, '0');

/** Milliseconds since 1970 as local time of day: `02:13:05`, with `.123` on demand. */
export function clock(ms, withMilliseconds = false) {
  const date = new Date(ms);
  const time = `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
  return withMilliseconds ? `${time}.${String(date.getMilliseconds()).padStart(3, '0')}` : time;
}

/** The same moment in UTC, for titles: `2026-11-29 02:13:05.123 UTC`. */
export function utc(ms) {
  return `${new Date(ms).toISOString().replace('T', ' ').replace('Z', '')} UTC`;
}
