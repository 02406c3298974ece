--- Choosing what to run: `:BrummerRun` without a name.
local catalog = require('brummer.catalog')
local config = require('brummer.config')
local host = require('brummer.host')
local notify = require('brummer.notify')
local project = require('brummer.project')
local state = require('brummer.state')
local text = require('brummer.text')

local M = {}

-- What is run most, where the files say nothing.
local LIKELY = { dev = 1, start = 2, serve = 3, watch = 4, build = 5, test = 6 }

---@class brummer.Choice
---@field label string
---@field tool string
---@field command string
---@field names string[] what is run
---@field package? string
---@field rank integer[]

--- Which group comes first: that of the directory at hand, then the root's, then as listed.
---@param listing brummer.Listing
---@param dir? string
---@return table<string, integer>
local function groups(listing, dir)
  local rank = { [''] = 1 }
  for i, package in ipairs(listing.packages or {}) do
    rank[package.name] = rank[package.name] or i + 1
  end
  local nearest = listing.here or catalog.package_of(listing.root, dir)
  if nearest then
    rank[nearest] = 0
  end
  return rank
end

--- What can be chosen: sets, then packages, in each the most likely first.
---@param listing brummer.Listing
---@param dir? string the directory at hand
---@return brummer.Choice[]
function M.choices(listing, dir)
  local list, group = {}, groups(listing, dir)
  for i, script in ipairs(listing.scripts) do
    list[i] = {
      label = catalog.label(script),
      tool = script.kind or '',
      command = script.command or '',
      names = { catalog.label(script) },
      package = script.package,
      rank = {
        group[script.package or ''] or 1000,
        -(script.priority or 0),
        LIKELY[script.name] or 100,
        i,
      },
    }
  end
  for name, names in pairs(listing.sets or {}) do
    list[#list + 1] = {
      label = name,
      tool = 'set',
      command = table.concat(names, ' '),
      names = names,
      rank = { -1, 0, 0, 0, name },
    }
  end
  table.sort(list, function(a, b)
    for i = 1, 5 do
      local left, right = a.rank[i] or 0, b.rank[i] or 0
      if left ~= right then
        return left < right
      end
    end
    return false
  end)
  return list
end

--- One line each, also with the number that the built-in list puts before it.
---@param list brummer.Choice[]
---@param root string
---@return fun(choice: brummer.Choice): string
local function formatter(list, root)
  local label, tool = 0, 0
  for _, choice in ipairs(list) do
    label = math.max(label, vim.fn.strdisplaywidth(choice.label))
    tool = math.max(tool, vim.fn.strdisplaywidth(choice.tool))
  end
  label = math.min(label, 30)
  local mark = config.icon('running')
  return function(choice)
    local running = choice.tool ~= 'set' and state.alive(state.find(root, choice.label))
    local line = text.pad(running and mark or '', vim.fn.strdisplaywidth(mark))
      .. ' '
      .. text.pad(choice.label, label)
      .. '  '
      .. (tool > 0 and text.pad(choice.tool, tool) .. '  ' or '')
      .. (choice.command ~= choice.label and choice.command or '')
    return (text.pad(line, math.max(vim.o.columns - 8, 20)):gsub('%s+$', ''))
  end
end

--- Says what was looked for and how a command is added.
---@param dir string
function M.nothing(dir)
  require('brummer.ui.window').popup({
    (' Nothing to run in %s:'):format(vim.fn.fnamemodify(dir, ':~')),
    ' no script in a package.json, no command in a .brum.toml,',
    ' no Makefile, Cargo.toml, Procfile or the like.',
    '',
    ' Three lines of .brum.toml add one:',
    '',
    '   [scripts.dev]',
    '   command = "npx vite"',
    '   cwd = "."',
  }, 'brummer')
end

--- Lets the user choose.
---@param open? brummer.OpenOpts
function M.choose(open)
  local dir, root = project.place()
  host.call('scripts', { dir = root or dir }, function(err, value)
    if err then
      return notify.failed(err)
    end
    value = value or {}
    local here = value.root or root or dir --[[@as string]]
    if dir and value.root then
      project.learn(dir, value.root)
    end
    local listing = catalog.remember(vim.tbl_extend('force', value, { root = here }))
    local list = M.choices(listing, dir)
    if #list == 0 then
      return M.nothing(here)
    end
    vim.ui.select(list, {
      prompt = ('Run in %s'):format(value.project or here),
      kind = 'brummer.script',
      format_item = formatter(list, here),
    }, function(choice)
      if choice then
        require('brummer.scripts').start({ root = here, names = choice.names, open = open })
      end
    end)
  end)
end

return M
