--- A script that another Neovim runs already: its log, another one, or nothing.
local host = require('brummer.host')
local notify = require('brummer.notify')

local M = {}

---@class brummer.Elsewhere
---@field name string
---@field root string
---@field pid integer
---@field since? integer milliseconds since the epoch

---@param list brummer.Elsewhere[]
---@return string
local function described(list)
  local names = {}
  for i, one in ipairs(list) do
    names[i] = one.name
  end
  local first = list[1]
  local since = first.since and os.date(', since %H:%M', math.floor(first.since / 1000)) or ''
  return ('%s %s in another Neovim (pid %d%s)'):format(
    table.concat(names, ', '),
    #names == 1 and 'runs' or 'run',
    first.pid,
    since
  )
end

--- Opens what another Neovim's host keeps of them; it cannot be acted on.
---@param root string
---@param list brummer.Elsewhere[]
---@param opts brummer.RunOpts
local function show(root, list, opts)
  local names, answers = {}, 0
  for _, it in ipairs(list) do
    local params = { root = it.root or root, name = it.name, pid = it.pid }
    host.call('show', params, function(err, value)
      answers = answers + 1
      if err then
        notify.failed(err)
      end
      names[#names + 1] = value and value.name or nil
      if answers == #list and #names > 0 then
        local name = #names == 1 and names[1] or nil
        require('brummer.scripts').open_log(root, name, opts.open or nil)
      end
    end)
  end
end

--- Asks what to do about scripts that run elsewhere.
---@param root string
---@param list brummer.Elsewhere[]
---@param opts brummer.RunOpts
function M.choose(root, list, opts)
  local said = described(list)
  if opts.quiet then
    return notify.say(said)
  end
  local one = #list == 1
  local choices = {
    {
      text = one and 'show its log' or 'show their logs',
      fn = function()
        show(root, list, opts)
      end,
    },
    {
      text = 'run another',
      fn = function()
        -- Nothing was started, also of what runs nowhere.
        local again = { root = root, another = true }
        require('brummer.scripts').start(vim.tbl_extend('force', opts, again))
      end,
    },
    { text = 'cancel', fn = function() end },
  }
  vim.ui.select(choices, {
    prompt = said,
    kind = 'brummer.elsewhere',
    format_item = function(choice)
      return choice.text
    end,
  }, function(choice)
    if choice then
      choice.fn()
    end
  end)
end

return M
