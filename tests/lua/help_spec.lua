--- The help names everything there is, and nothing twice.
return function(test, t)
  local function tags()
    local text = table.concat(vim.fn.readfile(t.root .. '/doc/brummer.txt'), '\n')
    local found = {}
    for tag in text:gmatch('%*([^%s*]+)%*') do
      t.ok(not found[tag], 'twice: ' .. tag)
      found[tag] = true
    end
    return found, text
  end

  test(':helptags is clean', function()
    local dir = vim.fn.tempname()
    t.write(
      dir .. '/brummer.txt',
      table.concat(vim.fn.readfile(t.root .. '/doc/brummer.txt'), '\n')
    )
    vim.cmd.helptags(dir)
    t.ok(#vim.fn.readfile(dir .. '/tags') > 50)
  end)

  test(':Brummer help makes the tags when there are none', function(child)
    local c = child()
    local copy = c.dir .. '/copy'
    vim.fn.mkdir(copy .. '/doc', 'p')
    vim.uv.fs_copyfile(t.root .. '/doc/brummer.txt', copy .. '/doc/brummer.txt')
    c:lua(
      [[
        local copy, own = ...
        vim.opt.rtp:remove(own)
        vim.opt.rtp:append(copy)
        package.path = own .. '/lua/?.lua;' .. own .. '/lua/?/init.lua;' .. package.path
        require('brummer.binary').plugin_dir = function() return copy end
      ]],
      copy,
      t.root
    )
    c:cmd('Brummer help errors')
    t.eq(c:lua('return vim.bo.filetype'), 'help')
    t.has(c:lua('return vim.api.nvim_get_current_line()'), '*brummer-errors*')
  end)

  test('links lead somewhere', function()
    local found, text = tags()
    for link in text:gmatch('|(:?[Bb]rummer[^%s|]*)|') do
      t.ok(found[link], link)
    end
  end)

  test('every command, option, <Plug>, event, function and group has a tag', function()
    local found, text = tags()
    local commands = require('brummer.commands')
    for _, name in ipairs(commands.names()) do
      t.ok(found[':Brummer-' .. name], name)
    end
    for _, name in ipairs(commands.names(true)) do
      t.has(text, name)
    end
    for _, option in ipairs(require('brummer.config').schema) do
      local tag = option.name == 'keys' and 'brummer-keys-option' or 'brummer-' .. option.name
      t.ok(found[tag], tag)
    end
    for verb in pairs(require('brummer.actions').verbs) do
      t.ok(found['<Plug>(brummer-' .. verb:gsub('_', '-') .. ')'], verb)
    end
    for name in pairs(require('brummer')) do
      t.ok(found['brummer.' .. name .. '()'], name)
    end
    for name in pairs(require('brummer.highlight').links) do
      t.ok(found['hl-' .. name], name)
    end
    for _, list in pairs(require('brummer.ui.keys').keys) do
      for _, key in ipairs(list) do
        t.has(text, key[1])
      end
    end
  end)

  test('lines fit 79 columns, modules 300 lines', function()
    for _, line in ipairs(vim.fn.readfile(t.root .. '/doc/brummer.txt')) do
      t.ok(vim.fn.strdisplaywidth(line) <= 80, line)
    end
    for _, path in ipairs(vim.fn.glob(t.root .. '/lua/**/*.lua', true, true)) do
      t.ok(#vim.fn.readfile(path) <= 300, ('%s has %d lines'):format(path, #vim.fn.readfile(path)))
    end
  end)

  test('nothing names a path of one machine', function()
    for _, dir in ipairs({ 'lua', 'plugin', 'ftplugin', 'tests/lua', 'doc' }) do
      for _, path in ipairs(vim.fn.glob(t.root .. '/' .. dir .. '/**/*', true, true)) do
        if vim.fn.isdirectory(path) == 0 and not path:find('/tags$') then
          for line in io.lines(path) do
            t.ok(not line:find(t.root, 1, true), path .. ': ' .. line)
            t.ok(not line:find(vim.env.HOME .. '/', 1, true), path .. ': ' .. line)
          end
        end
      end
    end
  end)
end
