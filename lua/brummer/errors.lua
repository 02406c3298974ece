--- Errors across processes: next and previous, quickfix and location list, the message under the
--- line jumped to.
local host = require('brummer.host')
local notify = require('brummer.notify')
local project = require('brummer.project')
local state = require('brummer.state')

local M = {}

local ns = vim.api.nvim_create_namespace('brummer.message')

-- A list on show is brought up to date at most once a second.
local REFRESH_MS = 1000

---@class brummer.Error
---@field error integer
---@field id integer
---@field name string
---@field run integer
---@field seq integer
---@field file? string
---@field line? integer
---@field col? integer
---@field severity 'error'|'warning'|'info'
---@field message string
---@field rule string

---@class brummer.ErrorList
---@field id integer list id
---@field win? integer of a location list
---@field params table scope of the call
---@field title string

---@type brummer.ErrorList[]
local lists = {}
---@type integer? id of the error jumped to last
local current
---@type integer index it had
local current_index = 0

--- Shows a message as one virtual line under the line jumped to, until the cursor leaves that line.
---@param buf integer
---@param win integer
---@param message? string
function M.show_message(buf, win, message)
  if not message or message == '' then
    return
  end
  local lnum = vim.api.nvim_win_get_cursor(win)[1]
  vim.api.nvim_buf_clear_namespace(buf, ns, 0, -1)
  vim.api.nvim_buf_set_extmark(buf, ns, lnum - 1, 0, {
    virt_lines = { { { '  ' .. message:gsub('%s+', ' '), 'BrummerErrorLine' } } },
  })
  vim.api.nvim_create_autocmd({ 'CursorMoved', 'CursorMovedI' }, {
    group = vim.api.nvim_create_augroup('brummer.message.' .. buf, {}),
    buffer = buf,
    desc = 'brummer: remove the message of the error jumped to',
    callback = function()
      if vim.api.nvim_win_get_cursor(0)[1] ~= lnum then
        vim.api.nvim_buf_clear_namespace(buf, ns, 0, -1)
        return true
      end
    end,
  })
end

--- The project whose errors are meant; on the list of all projects that of the line, else all.
---@return string? root
local function scope()
  local view = require('brummer.ui.view').get(0)
  if view and view.kind == 'processes' then
    local lnum = vim.api.nvim_win_get_cursor(0)[1]
    local row = require('brummer.ui.processes').row_at(view, lnum)
    return row and row.root
  end
  return project.current()
end

--- Opens the source of the next (negative: previous) error of all processes of the project, newest
--- run first.
---@param count integer
function M.jump(count)
  local win = vim.api.nvim_get_current_win()
  host.call('errors', { root = scope() }, function(err, value)
    if err then
      return notify.failed(err)
    end
    ---@type brummer.Error[]
    local list = vim.tbl_filter(function(one)
      return one.file ~= nil and one.severity == 'error'
    end, value and value.errors or {})
    if #list == 0 then
      return notify.say('no errors')
    end
    local at = count > 0 and 0 or #list + 1
    for i, one in ipairs(list) do
      if one.error == current then
        at = i
      end
    end
    local to = math.min(math.max(at + count, 1), #list)
    if to == at then
      return notify.say(count > 0 and 'no further error' or 'no earlier error')
    end
    if vim.api.nvim_get_current_win() ~= win then
      return
    end
    local one = list[to]
    current, current_index = one.error, to
    local opened = require('brummer.location').open({
      file = one.file,
      line = one.line or 1,
      col = one.col,
      message = one.message,
    })
    if opened then
      notify.say(('error %d of %d, %s: %s'):format(to, #list, one.name, one.message))
    end
  end)
end

local TYPE = { error = 'E', warning = 'W', info = 'I' }

---@param errors brummer.Error[]
---@return vim.quickfix.entry[]
local function items(errors)
  local out = {}
  for i, one in ipairs(errors) do
    out[i] = {
      filename = one.file,
      lnum = one.line,
      col = one.col,
      text = one.message,
      type = TYPE[one.severity],
      user_data = one.error,
      module = one.file and '' or one.name,
      valid = one.file and 1 or 0,
    }
  end
  return out
end

---@param list brummer.ErrorList
---@param what table
---@return table
local function get(list, what)
  what.id = list.id
  if list.win then
    return vim.fn.getloclist(list.win, what)
  end
  return vim.fn.getqflist(what)
end

--- Replaces the items of a list, with its current entry kept on the same error.
---@param list brummer.ErrorList
---@param errors brummer.Error[]
local function replace(list, errors)
  local old = get(list, { items = 0, idx = 0 })
  local id = old.items and old.items[old.idx] and old.items[old.idx].user_data
  local idx = math.min(math.max(old.idx or 1, 1), math.max(#errors, 1))
  for i, one in ipairs(errors) do
    if one.error == id then
      idx = i
    end
  end
  local what = { id = list.id, items = items(errors), idx = idx, title = list.title }
  if list.win then
    vim.fn.setloclist(list.win, {}, 'r', what)
  else
    vim.fn.setqflist({}, 'r', what)
  end
end

---@param list brummer.ErrorList
---@return boolean
local function exists(list)
  if list.win and not vim.api.nvim_win_is_valid(list.win) then
    return false
  end
  return get(list, { nr = 0 }).id == list.id
end

---@type uv.uv_timer_t?
local timer
local again = false

local function refresh()
  lists = vim.tbl_filter(exists, lists)
  for _, list in ipairs(lists) do
    host.call('errors', list.params, function(err, value)
      if not err and value and exists(list) then
        replace(list, value.errors or {})
      end
    end)
  end
end

--- Something changed: now, and then not again for a second.
local function touch()
  if #lists == 0 or host.state() ~= 'ready' then
    return
  end
  if timer then
    again = true
    return
  end
  refresh()
  timer = assert(vim.uv.new_timer())
  timer:start(
    REFRESH_MS,
    0,
    vim.schedule_wrap(function()
      timer:close()
      timer = nil
      if again then
        again = false
        touch()
      end
    end)
  )
end
M.touch = touch

local watching = false

local function watch()
  if watching then
    return
  end
  watching = true
  vim.api.nvim_create_autocmd('User', {
    group = vim.api.nvim_create_augroup('brummer.errors', {}),
    pattern = { 'BrummerErrorDetected', 'BrummerProcessExited', 'BrummerProcessStarted' },
    desc = 'brummer: bring error lists up to date',
    callback = touch,
  })
end

---@class brummer.ErrorsOpts
---@field loclist? boolean
---@field name? string

--- Makes one list of the errors of a process, or of the project, and opens it as `:copen` does.
---@param opts brummer.ErrorsOpts
function M.list(opts)
  local root = scope()
  local view = require('brummer.ui.view').get(0)
  local name = opts.name or view and view.kind == 'logs' and view.script or nil
  local row = name and root and state.find(root, name)
  if name and not row then
    return notify.say(('%s has not run here'):format(name))
  end
  local params = row and { id = row.id } or { root = root }
  local title = 'brummer: ' .. (name or root and vim.fs.basename(root) or 'all')
  local win = opts.loclist and vim.api.nvim_get_current_win() or nil
  host.call('errors', params, function(err, value)
    if err then
      return notify.failed(err)
    end
    local errors = value and value.errors or {}
    if #errors == 0 then
      return notify.say('no errors')
    end
    ---@type brummer.ErrorList
    local list
    for _, one in ipairs(vim.tbl_filter(exists, lists)) do
      if one.title == title and one.win == win then
        list = one
      end
    end
    if list then
      replace(list, errors)
    else
      list = { id = 0, win = win, params = params, title = title }
      local what = { title = title, items = items(errors) }
      if win then
        vim.fn.setloclist(win, {}, ' ', what)
        list.id = vim.fn.getloclist(win, { id = 0 }).id
      else
        vim.fn.setqflist({}, ' ', what)
        list.id = vim.fn.getqflist({ id = 0 }).id
      end
      lists[#lists + 1] = list
    end
    watch()
    if win then
      vim.api.nvim_win_call(win, function()
        vim.cmd('silent! ' .. get(list, { nr = 0 }).nr .. 'lhistory')
      end)
      vim.cmd.lopen()
    else
      vim.cmd('silent! ' .. get(list, { nr = 0 }).nr .. 'chistory')
      vim.cmd('botright copen')
    end
  end)
end

return M
