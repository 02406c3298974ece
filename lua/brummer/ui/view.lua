--- Buffers of the brummer:// scheme: their names, options, life.
local M = {}

---@class brummer.View
---@field buf integer
---@field name string
---@field kind 'logs'|'processes'|'health'|'search'
---@field root? string project; nil in a list of all projects
---@field script? string nil in the merged log
---@field filter? string of a log: which lines it shows
---@field previous? boolean a log as it was in the session before
---@field restored? boolean
---@field following? boolean whether a window that opens a log follows
---@field styled table<integer, boolean> windows whose options are set

---@type table<integer, brummer.View>
local views = {}

local MODULE = {
  logs = 'brummer.ui.logs',
  processes = 'brummer.ui.processes',
  health = 'brummer.ui.health',
  search = 'brummer.ui.search',
}
local FILETYPE = {
  logs = 'brummer-logs',
  processes = 'brummer-dashboard',
  health = 'brummer-health',
  search = 'brummer-search',
}

--- Behind this word of a log's name stands the session before.
local PREVIOUS = 'session:previous'

---@class brummer.ViewName
---@field kind string
---@field label? string
---@field script? string
---@field filter? string
---@field previous? boolean

---@param name string
---@return brummer.ViewName?
local function parse(name)
  local rest = name:match('^brummer://(.*)$')
  if not rest then
    return
  end
  if rest == '' or rest == 'processes' then
    return { kind = 'processes' }
  elseif rest == 'health' then
    return { kind = 'health' }
  elseif rest:find('^search/%d+$') then
    return { kind = 'search' }
  end
  local head, filter = rest:match('^([^?]*)%?(.*)$')
  head = head or rest
  local tail = head == 'logs' and '' or head:match('^logs/(.*)$')
  if tail then
    local label, script = tail:match('^~([^/]+)/?(.*)$')
    script = (script or tail):gsub('%%3F', '?'):gsub('%%25', '%%')
    local previous = filter and vim.startswith(filter .. ' ', PREVIOUS .. ' ')
    filter = filter and vim.trim(previous and filter:sub(#PREVIOUS + 1) or filter)
    return {
      kind = 'logs',
      label = label,
      script = script ~= '' and script or nil,
      filter = filter ~= '' and filter or nil,
      previous = previous or nil,
    }
  end
end

--- Name of a log buffer; without `script` of the merged log.
---@param root string
---@param script? string
---@param filter? string
---@param previous? boolean
---@return string
function M.log_name(root, script, filter, previous)
  -- A script named `~x` is not to be taken for a project.
  local label = require('brummer.project').label(root, vim.startswith(script or '', '~'))
  local parts = { 'brummer://logs' }
  if label then
    parts[#parts + 1] = '~' .. label
  end
  -- A command line may have a `?` in it.
  parts[#parts + 1] = script and script:gsub('%%(%x%x)', '%%25%1'):gsub('?', '%%3F') or nil
  local shown = vim.trim((previous and PREVIOUS .. ' ' or '') .. (filter or ''))
  return table.concat(parts, '/') .. (shown ~= '' and '?' .. shown or '')
end

--- The view in a buffer.
---@param buf integer
---@return brummer.View?
function M.get(buf)
  return views[buf == 0 and vim.api.nvim_get_current_buf() or buf]
end

--- All views, or those of a kind.
---@param kind? string
---@return brummer.View[]
function M.all(kind)
  return vim.tbl_filter(function(view)
    return not kind or view.kind == kind
  end, vim.tbl_values(views))
end

---@param buf integer
local function options(buf)
  local bo = vim.bo[buf]
  bo.buftype = 'nofile'
  bo.buflisted = false
  bo.bufhidden = 'hide'
  bo.swapfile = false
  bo.undolevels = -1
  bo.modifiable = false
  bo.modified = false
end

---@param win integer
---@param view brummer.View
local function style(win, view)
  if view.styled[win] then
    return
  end
  view.styled[win] = true
  -- `[win][0]` is `:setlocal`: the options stay behind when another buffer is shown there.
  local wo = vim.wo[win][0]
  wo.foldmethod = 'manual'
  wo.foldcolumn = '0'
  wo.number = false
  wo.relativenumber = false
  wo.spell = false
  wo.list = false
  require(MODULE[view.kind]).style(win, view)
end

--- A window has come to show a view.
---@param buf integer
local function shown(buf)
  local view = views[buf]
  if view then
    for _, win in ipairs(vim.fn.win_findbuf(buf)) do
      style(win, view)
    end
    vim.g.brummer_last_view = view.name
    require(MODULE[view.kind]).shown(view)
  end
end

--- The text is gone (`:bdelete`, `:bwipeout`, `:e`): the view ends, what it shows goes on.
---@param buf integer
local function drop(buf)
  local view = views[buf]
  if view then
    views[buf] = nil
    require(MODULE[view.kind]).close(view)
  end
end

---@param view brummer.View
local function autocmds(view)
  local group = vim.api.nvim_create_augroup('brummer.view.' .. view.buf, {})
  local function on(event, fn)
    vim.api.nvim_create_autocmd(event, {
      group = group,
      buffer = view.buf,
      desc = 'brummer: keep a view',
      callback = fn,
    })
  end
  on('BufWinEnter', function()
    shown(view.buf)
  end)
  on('BufWinLeave', function()
    local win = vim.api.nvim_get_current_win()
    require(MODULE[view.kind]).hiding(view, win)
    vim.schedule(function()
      for known in pairs(view.styled) do
        if not vim.api.nvim_win_is_valid(known) or vim.api.nvim_win_get_buf(known) ~= view.buf then
          view.styled[known] = nil
        end
      end
      if views[view.buf] == view then
        require(MODULE[view.kind]).shown(view)
      end
    end)
  end)
  on('BufUnload', function()
    pcall(vim.api.nvim_del_augroup_by_id, group)
    drop(view.buf)
  end)
end

--- Makes a buffer the view its name says. Safe to repeat.
---@param buf integer
---@param name string
---@param restored? boolean it came back with a session
function M.attach(buf, name, restored)
  if views[buf] then
    return
  end
  local spec = parse(name)
  options(buf)
  if not spec and require('brummer.ui.terminal').restore(buf) then
    return
  elseif not spec then
    require('brummer.notify').error(('no view is called %s'):format(name))
    return
  end
  local project = require('brummer.project')
  ---@type brummer.View
  local view = {
    buf = buf,
    name = name,
    kind = spec.kind,
    script = spec.script,
    filter = spec.filter,
    previous = spec.previous,
    restored = restored,
    styled = {},
  }
  if spec.kind == 'logs' then
    view.root = project.by_label(spec.label)
    if not view.root then
      require('brummer.notify').error(('no project for %s; open a file of it first'):format(name))
      return
    end
  end
  views[buf] = view
  autocmds(view)
  require(MODULE[view.kind]).open(view)
  require('brummer.ui.keys').attach(buf, view.kind)
  require('brummer.typing').watch()
  if view.kind == 'logs' or view.kind == 'search' then
    require('brummer.write').attach(view)
  end
  if #vim.fn.win_findbuf(buf) > 0 then
    shown(buf)
  end
  vim.bo[buf].filetype = FILETYPE[view.kind]
end

--- The buffer of that name, made when there is none.
---@param name string
---@return integer buf
function M.buffer(name)
  for _, buf in ipairs(vim.api.nvim_list_bufs()) do
    if vim.api.nvim_buf_get_name(buf) == name then
      if not vim.api.nvim_buf_is_loaded(buf) then
        vim.fn.bufload(buf)
      end
      M.attach(buf, name)
      return buf
    end
  end
  local buf = vim.api.nvim_create_buf(false, true)
  vim.api.nvim_buf_set_name(buf, name)
  M.attach(buf, name)
  return buf
end

--- Replaces rows `first … last - 1` of a view.
---@param buf integer
---@param first integer
---@param last integer
---@param lines string[]
function M.write(buf, first, last, lines)
  vim.bo[buf].modifiable = true
  local ok, err = pcall(vim.api.nvim_buf_set_lines, buf, first, last, false, lines)
  vim.bo[buf].modifiable = false
  vim.bo[buf].modified = false
  if not ok then
    error(err, 0)
  end
end

return M
