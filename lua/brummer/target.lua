--- What a command is about: the project, the process.
local host = require('brummer.host')
local notify = require('brummer.notify')
local project = require('brummer.project')
local state = require('brummer.state')

local M = {}

--- The project of a command; the host is asked where the files do not say it for certain.
---@param cb fun(root: string)
function M.with_root(cb)
  local root, dir = project.certain()
  if root then
    return cb(root)
  end
  host.call('scripts', { dir = dir }, function(err, value)
    if err then
      return notify.failed(err)
    elseif not value or not value.root then
      return notify.error(('no package.json or .brum.toml above %s'):format(dir))
    end
    project.learn(dir, value.root)
    require('brummer.catalog').remember(value)
    cb(value.root)
  end)
end

--- The process of that name: as it is called, or as its own package or a bare word calls it.
---@param root string
---@param name string
---@return brummer.Row?
local function named(root, name)
  local package = require('brummer.catalog').package_of(root, (project.place()))
  return package and state.find(root, package .. '/' .. name) or state.match(root, name)
end

--- The process a verb means: the named one, that of the log or list the cursor is in, the only one
--- that runs, else the user is asked.
---@param name? string
---@param verb string
---@param cb fun(row: brummer.Row)
function M.with_process(name, verb, cb)
  local view = require('brummer.ui.view').get(0)
  local root = project.current()
  if name then
    local row = root and named(root, name)
    if not row then
      local names = vim.tbl_map(function(other)
        return other.name
      end, state.rows(root))
      return notify.error(
        ('%s has not run here%s'):format(name, require('brummer.text').hint(name, names))
      )
    end
    return cb(row)
  end
  local row = require('brummer.ui.terminal').row()
  if row then
    return cb(row)
  end
  if view and view.kind == 'processes' then
    row = require('brummer.ui.processes').row_at(view, vim.api.nvim_win_get_cursor(0)[1])
  elseif view and view.kind == 'logs' then
    local log = view --[[@as brummer.LogView]]
    local _, id = log.lines:at(vim.api.nvim_win_get_cursor(0)[1] - 1)
    row = view.script and state.find(view.root, view.script) or state.get(id or 0)
    if view.script and not row then
      return notify.say(('%s is not running; r runs it'):format(view.script))
    end
  end
  if row then
    return cb(row)
  end
  local list = state.running(root)
  if #list == 1 then
    return cb(list[1])
  end
  list = #list > 0 and list or state.rows(root)
  if #list == 0 then
    return notify.say('nothing runs here; :BrummerRun starts a script')
  end
  vim.ui.select(list, {
    prompt = verb,
    kind = 'brummer.process',
    format_item = function(one)
      return ('%s  %s'):format(one.name, one.state)
    end,
  }, function(one)
    if one then
      cb(one)
    end
  end)
end

return M
