--- A script that another Neovim runs already: its log, another one, or nothing.
local notify = require('brummer.notify')

local M = {}

---@class brummer.Elsewhere
---@field name string
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

--- Asks what to do about scripts that run elsewhere.
---@param root string
---@param list brummer.Elsewhere[]
---@param opts brummer.RunOpts
function M.choose(root, list, opts)
  local said = described(list)
  if opts.quiet then
    return notify.say(said)
  end
  local scripts = require('brummer.scripts')
  local one = #list == 1
  local choices = {
    {
      text = one and 'show its log' or 'show their logs',
      fn = function()
        scripts.open_log(root, one and list[1].name or nil, opts.open or nil)
      end,
    },
    {
      text = 'run another',
      fn = function()
        local again = { root = root, another = true }
        if not opts.command then
          again.names = vim.tbl_map(function(it)
            return it.name
          end, list)
        end
        scripts.start(vim.tbl_extend('force', opts, again))
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
