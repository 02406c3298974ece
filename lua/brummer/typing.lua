--- Whether the user types: what a flood shows can wait for a moment then.
local M = {}

-- Between the keys of one who types pass at most so many milliseconds.
local PAUSE_MS = 500

---@type integer? the namespace of the listener
local listener
local last = -math.huge

--- Notices keys from now on.
function M.watch()
  if listener then
    return
  end
  -- Called for each key: nothing but the time of the event loop, which costs no system call.
  listener = vim.on_key(function()
    last = vim.uv.now()
  end)
end

---@return boolean
function M.now()
  return vim.uv.now() - last < PAUSE_MS
end

return M
