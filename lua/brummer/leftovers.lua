--- What an earlier session could not end: told once when a host starts, ended when the user says so.
local host = require('brummer.host')
local notify = require('brummer.notify')

local M = {}

---@class brummer.Leftover
---@field run string
---@field name string
---@field root string
---@field pids integer[]
---@field at? integer milliseconds since the epoch
---@field detached? boolean it was meant to stay

--- `4 left over: dev, api`.
---@param list brummer.Leftover[]
---@return string
---@return integer count
local function described(list)
  local names, count = {}, 0
  for _, one in ipairs(list) do
    count = count + #one.pids
    if not vim.tbl_contains(names, one.name) then
      names[#names + 1] = one.name
    end
  end
  return ('%d left over: %s'):format(count, table.concat(names, ', ')), count
end

--- Those that were not meant to stay.
---@param list brummer.Leftover[]
---@return brummer.Leftover[]
local function unwanted(list)
  return vim.tbl_filter(function(one)
    return not one.detached
  end, list)
end

--- A host that has started tells what it found.
---@param list brummer.Leftover[]
function M.tell(list)
  list = unwanted(list)
  if #list > 0 then
    local said, count = described(list)
    local short = ('%d left over: :Brummer stop --leftovers'):format(count)
    notify.notice({
      kind = 'leftovers',
      name = '',
      text = notify.with_tail(said, '; :Brummer stop --leftovers', short),
      level = vim.log.levels.WARN,
    })
  end
end

--- Ends them: `:Brummer stop --leftovers`.
function M.stop()
  host.call('leftovers', {}, function(err, value)
    local list = unwanted(value and value.leftovers or {})
    if err then
      return notify.failed(err)
    elseif #list == 0 then
      return notify.say('nothing is left over from an earlier session')
    end
    local runs = vim.tbl_map(function(one)
      return one.run
    end, list)
    host.call('end_leftovers', { runs = runs }, function(problem)
      if problem then
        return notify.failed(problem)
      end
      notify.say(('ended what was %s'):format((described(list):gsub('^%d+ ', ''))))
    end)
  end)
end

return M
