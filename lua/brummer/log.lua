--- What the plugin itself has to say for the record, beside the host's own file.
local M = {}

local LEVELS = { error = 1, warn = 2, info = 3, debug = 4, trace = 5 }

--- The file of the host (`host`) or of the Lua side (`lua`).
---@param who 'host'|'lua'
---@return string
function M.path(who)
  local dir = vim.fn.stdpath('log') --[[@as string]]
  return vim.fs.joinpath(dir, who == 'host' and 'brummer.log' or 'brummer-lua.log')
end

---@param level string
---@param message string
function M.write(level, message)
  if LEVELS[level] > LEVELS[require('brummer.config').get().log_level] then
    return
  end
  local path = M.path('lua')
  local stat = vim.uv.fs_stat(path)
  local file = io.open(path, stat and stat.size > 1024 * 1024 and 'w' or 'a')
  if file then
    file:write(('%s %s %s\n'):format(os.date('%Y-%m-%dT%H:%M:%S'), level, message))
    file:close()
  end
end

return M
