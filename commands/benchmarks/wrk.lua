-- wrk's figures as one line of JSON; times are microseconds. Only `done` is here, so no request costs any Lua.
done = function(summary, latency, requests)
   local e = summary.errors
   io.write(string.format(
      '\nJSON {"requests":%d,"duration":%d,"p50":%d,"p99":%d,"slowest":%d,' ..
      '"connect":%d,"read":%d,"write":%d,"timeout":%d,"status":%d}\n',
      summary.requests, summary.duration, latency:percentile(50), latency:percentile(99), latency.max,
      e.connect, e.read, e.write, e.timeout, e.status))
end
