-- Says at the end, as one line of JSON, what wrk has seen. With a number after `--`, goes round that many routes.

local routes, turn, requests = 0, 0, {}

function init(arguments)
  routes = tonumber(arguments[1] or "0")
  for number = 0, routes - 1 do
    requests[number] = wrk.format("GET", "/route-" .. number .. "/ada")
  end
  -- wrk asks for every request only where this function is there; a constant request costs it less.
  if routes > 0 then
    function request()
      turn = (turn + 1) % routes
      return requests[turn]
    end
  end
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '{"requests":%d,"microseconds":%d,"connect":%d,"read":%d,"write":%d,"timeout":%d,"status":%d,"p50":%.0f,"p99":%.0f}\n',
    summary.requests, summary.duration, errors.connect, errors.read, errors.write, errors.timeout, errors.status,
    latency:percentile(50), latency:percentile(99)))
end
