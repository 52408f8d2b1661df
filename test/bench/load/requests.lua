-- Sends the same request to each path in turn. Arguments: method, token, body, a file with one path a line.

local requests = {}
local last = 0

function init(args)
  local headers = { ["X-Auth-Token"] = args[2] }
  local body = args[3] ~= "" and args[3] or nil
  for path in io.lines(args[4]) do
    requests[#requests + 1] = wrk.format(args[1], path, headers, body)
  end
end

function request()
  last = last % #requests + 1
  return requests[last]
end
