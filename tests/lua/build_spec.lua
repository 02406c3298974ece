--- B18: building never waits; the plugin costs nothing at start.
return function(test, t)
  ---@param c brummer.Child
  ---@param script string
  local function cargo(c, script)
    t.write(c.dir .. '/path/cargo', '#!/bin/sh\n' .. script)
    vim.uv.fs_chmod(c.dir .. '/path/cargo', 493)
    c:lua("vim.env.PATH = ... .. ':' .. vim.env.PATH", c.dir .. '/path')
  end

  test('the hook yields each line of progress and raises when cargo fails', function(child)
    local c = child()
    cargo(c, 'echo "   Compiling one" >&2\necho "   Compiling two" >&2\nexit 0\n')
    local run = [[
      local lines, out = {}, nil
      local co = coroutine.create(function() require('brummer.build').hook(vim.fn.getcwd()) end)
      _G.lines = {}
      local timer = vim.uv.new_timer()
      timer:start(0, 5, vim.schedule_wrap(function()
        if coroutine.status(co) == 'dead' then
          timer:stop()
          _G.finished = true
          return
        end
        local ok, line = coroutine.resume(co)
        table.insert(_G.lines, line)
      end))
    ]]
    c:lua(run)
    t.wait(function()
      return c:lua('return _G.finished')
    end)
    t.eq(c:lua('return _G.lines'), { '   Compiling one', '   Compiling two' })
    cargo(c, 'echo "error: no such crate" >&2\nexit 101\n')
    c:lua('_G.finished = false')
    c:lua(run)
    t.wait(function()
      return c:lua('return _G.finished')
    end)
    t.has(
      table.concat(c:lua('return _G.lines'), '\n'),
      'cargo failed (exit 101): error: no such crate'
    )
  end)

  test(
    ':Brummer build says how it ended, and takes the new program when nothing runs',
    function(child)
      local c = child()
      c:lua("require('brummer.host').ensure()")
      t.wait(function()
        return c:lua("return require('brummer.host').state()") == 'ready'
      end)
      cargo(c, 'exit 0\n')
      c:cmd('Brummer build')
      c:hears('built; the next command uses the new program')
      t.eq(c:lua("return require('brummer.host').state()"), 'down')
      cargo(c, 'echo "error: broken" >&2\nexit 1\n')
      c:cmd('Brummer build')
      c:hears('cargo failed (exit 1): error: broken')
    end
  )

  test('a build does not end what runs', function(child)
    local c = child()
    c:open_log()
    cargo(c, 'exit 0\n')
    c:cmd('Brummer build')
    c:hears('built; used after the 1 process ended')
    t.eq(c:lua("return require('brummer.host').state()"), 'ready')
  end)

  test('a missing cargo names what to install', function(child)
    local c = child()
    c:lua("vim.env.PATH = '/nowhere'")
    c:cmd('Brummer build')
    c:hears('cargo is missing; install Rust from https://rustup.rs')
  end)

  test('the plugin file takes about a millisecond at start', function(child)
    local c = child()
    local log = c.dir .. '/startup'
    local best = math.huge
    for _ = 1, 5 do
      vim.fn.delete(log)
      vim.fn.system({
        t.nvim,
        '--clean',
        '--headless',
        '--startuptime',
        log,
        '--cmd',
        'set rtp^=' .. t.root,
        '+qa',
      })
      for _, line in ipairs(vim.fn.readfile(log)) do
        local own = line:match('^%S+%s+%S+%s+(%d+%.%d+): sourcing .*plugin/brummer%.lua')
        best = math.min(best, tonumber(own) or best)
      end
    end
    t.ok(best <= 1, best .. ' ms')
  end)

  test(':checkhealth names program, version and protocol', function(child)
    local c = child()
    t.write(c.binary, '#!/bin/sh\necho \'{"version":"0.1.0","protocol":1}\'\n')
    c:cmd('checkhealth brummer')
    local text = table.concat(c:lines(), '\n')
    t.has(text, 'version 0.1.0, protocol 1')
    t.has(text, 'not running (down)')
    t.write(c.binary, '#!/bin/sh\necho \'{"version":"9","protocol":2}\'\n')
    c:cmd('checkhealth brummer')
    t.has(table.concat(c:lines(), '\n'), 'it speaks protocol 2, this plugin 1')
    t.write(c.binary, '#!/bin/sh\nsleep 30\n')
    c:cmd('checkhealth brummer')
    t.has(table.concat(c:lines(), '\n'), 'it does not answer --version')
  end)
end
