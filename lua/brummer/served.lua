--- At which address a process can be reached: of those it printed, the first of this machine. Pure.
local M = {}

-- Where it is known on which ports a process listens.
local LISTENS = vim.fn.has('linux') == 1

---@param url string
---@return string? host
---@return integer? port
local function parts(url)
  local scheme, at = url:match('^(https?)://([^/?#]+)')
  if not scheme then
    return
  end
  local host = at:match('^%[(.-)%]') or at:match('^[^:]*')
  return host, tonumber(at:match(':(%d+)$')) or (scheme == 'https' and 443 or 80)
end

---@param host string
---@return boolean
local function here(host)
  return host == 'localhost'
    or vim.endswith(host, '.localhost')
    or host:find('^127%.') ~= nil
    or host == '0.0.0.0'
    or host == '::1'
    or host == '::'
end

--- The address of a process that runs; nil when it has printed none. One whose port it does not listen on is that of
--- another program.
---@param row brummer.Row
---@return string?
function M.url(row)
  for _, url in ipairs(row.state == 'running' and row.urls or {}) do
    local host, port = parts(url)
    if host and here(host) and (not row.ports or vim.tbl_contains(row.ports, port)) then
      return url
    end
  end
end

--- Its address once it can be used: it says so itself, or it listens there.
---@param row brummer.Row
---@return string?
function M.ready(row)
  local usable = row.ready == 'ready' or row.ready == nil and (row.ports or not LISTENS)
  return usable and not row.elsewhere and M.url(row) or nil
end

return M
