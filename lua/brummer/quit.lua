--- Leaving the editor: the host is told and not waited for; `confirm_quit` asks before.
local M = {}

local watching = false
---@type integer?
local guard

--- How many end with Neovim, and how many are meant to live on.
---@return integer ending
---@return integer detached
local function running()
  local ending, detached = 0, 0
  for _, row in ipairs(require('brummer.state').running()) do
    if row.detach then
      detached = detached + 1
    else
      ending = ending + 1
    end
  end
  return ending, detached
end

--- Removes the buffer when the user has stayed. Never while Neovim still asks about it: events run
--- then, and it would come back to a buffer that is gone.
local function forget()
  if vim.api.nvim_get_mode().mode:find('^[rc]') then
    vim.defer_fn(forget, 50)
    return
  end
  if guard and vim.api.nvim_buf_is_valid(guard) then
    vim.api.nvim_buf_delete(guard, { force = true })
  end
  guard = nil
end

--- A changed buffer is what Neovim asks about under `:confirm qa`, and what it refuses to leave
--- otherwise, as with a running `:terminal`.
local function ask()
  local n, detached = running()
  if n == 0 or not require('brummer.config').get().confirm_quit then
    return
  end
  if guard and vim.api.nvim_buf_is_valid(guard) then
    vim.bo[guard].modified = true
    return
  end
  guard = vim.api.nvim_create_buf(true, false)
  local what = n == 1 and 'it' or 'them'
  local others = detached > 0 and (', %d detached go%s on'):format(detached, detached == 1 and 'es' or '') or ''
  local said = ('[brummer: %d running, Yes and No both stop %s%s]'):format(n, what, others)
  vim.api.nvim_buf_set_name(guard, said)
  vim.bo[guard].buftype = 'acwrite'
  vim.bo[guard].modified = true
  vim.api.nvim_create_autocmd('BufWriteCmd', {
    buffer = guard,
    callback = function(args)
      vim.bo[args.buf].modified = false
    end,
  })
  vim.schedule(forget)
end

--- Sets the autocommands, once.
function M.watch()
  if watching then
    return
  end
  watching = true
  local group = vim.api.nvim_create_augroup('brummer.quit', {})
  vim.api.nvim_create_autocmd('ExitPre', {
    group = group,
    desc = 'brummer: ask while something runs',
    callback = ask,
  })
  vim.api.nvim_create_autocmd('VimLeavePre', {
    group = group,
    desc = 'brummer: tell the host',
    callback = function()
      pcall(require('brummer.session').save)
      require('brummer.host').leave()
    end,
  })
end

return M
