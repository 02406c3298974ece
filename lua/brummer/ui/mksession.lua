--- Views in a session of `:mksession`. It makes an empty buffer for each window and names it; a name that a second window
--- asks for would be an error (E95). So buffers get no name before all windows are there.
local M = {}

local PREFIX = 'brummer://'
local restoring = false

---@param buf integer
local function unname(buf)
  vim.b[buf].brummer_name = vim.api.nvim_buf_get_name(buf)
  vim.api.nvim_buf_set_name(buf, '')
end

--- A session is about to name a buffer, perhaps as a view that is there already.
function M.names()
  for _, view in ipairs(package.loaded['brummer.ui.view'] and require('brummer.ui.view').all() or {}) do
    if not restoring and not vim.b[view.buf].brummer_name then
      unname(view.buf)
    end
  end
end

--- A session has named a buffer.
---@param buf integer
function M.named(buf)
  if not restoring then
    -- It tells of each name, and two such messages ask for a key. The session brings the option back itself.
    vim.opt.shortmess:append('F')
    unname(buf)
  end
end

--- Makes a buffer the view of that name, or puts the one there is in its place.
---@param buf integer
---@param name string
---@param known table<string, integer>
local function restore(buf, name, known)
  vim.b[buf].brummer_name = nil
  if (known[name] or buf) == buf then
    known[name] = buf
    vim.api.nvim_buf_set_name(buf, name)
    return require('brummer.ui.view').attach(buf, name, true)
  end
  for _, win in ipairs(vim.fn.win_findbuf(buf)) do
    vim.api.nvim_win_set_buf(win, known[name])
  end
  vim.api.nvim_buf_delete(buf, { force = true })
end

--- The session has been read: one view for each name, in all its windows.
function M.restore()
  restoring = true
  local known = {} ---@type table<string, integer>
  for _, view in ipairs(require('brummer.ui.view').all()) do
    known[view.name] = view.buf
  end
  for _, buf in ipairs(vim.api.nvim_list_bufs()) do
    -- What had nothing but such a name is gone when another has got it.
    if vim.api.nvim_buf_is_valid(buf) then
      local name = vim.b[buf].brummer_name
      if name then
        restore(buf, name, known)
      elseif vim.startswith(vim.api.nvim_buf_get_name(buf), PREFIX) then
        -- The session lists what no window shows.
        vim.bo[buf].buflisted = false
      end
    end
  end
  restoring = false
  require('brummer.ui.window').adopt()
end

return M
