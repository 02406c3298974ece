--- B2: what a view's buffer is, and that it lives through everything done to buffers.
return function(test, t)
  local function name(c)
    return c:lua('return vim.api.nvim_buf_get_name(0)')
  end

  test(
    'options: nofile, unlisted, hidden, no swap, no undo, nomodifiable, filetype last',
    function(child)
      local c = child()
      c:lua([[
      vim.api.nvim_create_autocmd('FileType', { pattern = 'brummer-logs', callback = function()
        _G.at_filetype = { vim.bo.buftype, vim.fn.maparg('<CR>', 'n') ~= '' }
      end })
    ]])
      c:open_log()
      t.eq(
        c:lua(
          [[return { vim.bo.buftype, vim.bo.buflisted, vim.bo.bufhidden, vim.bo.swapfile,
        vim.bo.undolevels, vim.bo.modifiable, vim.bo.modified, vim.bo.filetype, vim.wo.foldmethod }]]
        ),
        { 'nofile', false, 'hide', false, -1, false, false, 'brummer-logs', 'manual' }
      )
      t.eq(c:lua('return _G.at_filetype'), { 'nofile', true })
      t.ok(
        not c:lua('return vim.treesitter.highlighter.active[vim.api.nvim_get_current_buf()] ~= nil')
      )
    end
  )

  test(':e draws the view again and starts nothing', function(child)
    local c = child()
    local buf = c:open_log()
    c:print(buf, 1, 5)
    c:cmd('edit')
    c:call('watch', 2)
    c:print(buf, 1, 5, { reset = true })
    t.eq(#c:lines(buf), 5)
    t.eq(#c:calls('run'), 1)
    t.eq(c:lua('return vim.bo.filetype'), 'brummer-logs')
    c:cmd('split brummer://logs/api')
    t.eq(name(c), 'brummer://logs/api')
    t.eq(c:call('watch', 3).params.name, 'api')
    t.eq(#c:calls('run'), 1)
    t.wait(function()
      return c:screen():find('api · not running · r to run', 1, true)
    end)
    c:type('r')
    t.eq(c:call('run', 2).params.names, { 'api' })
  end)

  test(':bdelete and :bwipeout end the view, never the process; then reopen', function(child)
    for _, command in ipairs({ 'bdelete', 'bwipeout' }) do
      local c = child()
      local buf = c:open_log()
      c:print(buf, 1, 5, { reset = true })
      c:cmd(command)
      t.eq(c:call('unwatch').params.buf, buf)
      t.eq(#c:calls('stop'), 0)
      t.eq(c:lua("return require('brummer').status('dev').state"), 'running')
      c:cmd('Brummer logs dev')
      t.eq(name(c), 'brummer://logs/dev')
      local again = c:lua('return vim.api.nvim_get_current_buf()')
      c:call('watch', 2)
      c:print(again, 1, 5, { reset = true })
      t.eq(#c:lines(again), 5)
    end
  end)

  test(':wqa and :qa leave', function(child)
    for _, command in ipairs({ 'wqa', 'qa' }) do
      local c = child()
      local buf = c:open_log()
      c:print(buf, 1, 5)
      pcall(c.cmd, c, command)
      t.wait(function()
        return c.gone
      end, command)
    end
  end)

  test('nohidden and autochdir', function(child)
    local c = child({ files = { ['src/a.ts'] = 'x\n' } })
    c:cmd('set nohidden autochdir')
    c:cmd('edit src/a.ts')
    local buf = c:open_log()
    c:print(buf, 1, 5)
    t.eq(c:calls('run')[1].params.root, c.project)
    c:cmd('close')
    t.ok(c:lua('return vim.api.nvim_buf_is_loaded(...)', buf))
    c:cmd('Brummer logs dev')
    t.eq(c:lua('return vim.api.nvim_get_current_buf()'), buf)
    t.eq(#c:lines(buf), 5)
    t.eq(c:lua("return require('brummer.project').current()"), c.project)
  end)

  test('a session with several logs asks for no key', function(child)
    local c = child()
    c:open_log()
    c:cmd('split | BrummerRun api')
    t.wait(function()
      return c:lua('return vim.api.nvim_buf_get_name(0)') == 'brummer://logs/api'
    end, 'the other log')
    local file = c.dir .. '/Session.vim'
    c:cmd('mksession ' .. file)
    local other = child()
    local said = other:lua("return vim.fn.execute('source ' .. ...)", file)
    t.ok(not said:find('brummer://', 1, true), said)
    t.ok(not other:lua('return vim.o.shortmess'):find('a', 1, true), 'as it was')
  end)

  test('a session with one log in several windows and tab pages brings them all back', function(child)
    local c = child()
    c:open_log()
    c:cmd('vsplit | tab split | edit brummer://logs | split | tabprevious')
    local file = c.dir .. '/Session.vim'
    c:cmd('mksession ' .. file)
    local function shown(of)
      return of:lua([[
        return vim.tbl_map(function(win)
          local buf = vim.api.nvim_win_get_buf(win)
          local view = require('brummer.ui.view').get(buf)
          return { vim.api.nvim_buf_get_name(buf), view and view.name }
        end, vim.api.nvim_list_wins())
      ]])
    end
    local dev, all = { 'brummer://logs/dev', 'brummer://logs/dev' }, { 'brummer://logs', 'brummer://logs' }
    t.eq(shown(c), { { '' }, dev, dev, all, all })
    local other = child({ cwd = c.project })
    other:cmd('source ' .. file)
    t.eq(shown(other), { { '' }, dev, dev, all, all })
    t.eq(other:lua('return vim.v.errmsg'), '')
    t.eq(other:lua("return #vim.fn.getbufinfo('brummer://logs/dev')"), 1)
    t.eq(other:lua('return #vim.api.nvim_list_bufs()'), 3)
    -- Where a view is there already the session takes that.
    other:cmd('tabonly | only | enew | source ' .. file)
    t.eq(shown(other), { { '' }, dev, dev, all, all })
    t.eq(other:lua('return vim.v.errmsg'), '')
  end)

  test('a session brings the views back', function(child)
    local c = child()
    local buf = c:open_log()
    c:print(buf, 1, 5)
    local file = c.dir .. '/Session.vim'
    c:cmd('mksession ' .. file)
    local other = child()
    t.write(other.project .. '/package.json', '{"scripts":{"dev":"x","api":"y"}}')
    other:cmd('silent source ' .. file)
    local found = t.wait(function()
      return other:lua([[
        for _, win in ipairs(vim.api.nvim_list_wins()) do
          local view = require('brummer.ui.view').get(vim.api.nvim_win_get_buf(win))
          if view then return view.buf end
        end
      ]])
    end, 'the view')
    t.eq(other:call('previous').params.name, 'dev')
    t.eq(other:lua('return vim.bo[...].buftype', found), 'nofile')
    t.wait(function()
      return other:screen():find('not running · r to run', 1, true)
    end)
    t.eq(#other:calls('run'), 0)
    local wins = #other:lua('return vim.api.nvim_list_wins()')
    other:cmd('BrummerRun api')
    other:call('run')
    t.wait(function()
      return other:screen():find('brummer://logs/api', 1, true)
    end)
    t.eq(#other:lua('return vim.api.nvim_list_wins()'), wins, 'its window is used again')
  end)

  test('the keys of every view are among those that can do nothing else', function()
    local free = {}
    for key in ('a A c C d D i I o O p P r R s S u U x X & < > = <CR> K q'):gmatch('%S+') do
      free[key] = true
    end
    local verbs = {}
    for _, list in pairs(require('brummer.ui.keys').keys) do
      for _, key in ipairs(list) do
        local lhs, verb = key[1], key[2]
        t.ok(free[lhs] or lhs:find('^[g%]%[y].') or lhs == '<C-w>gF', lhs)
        t.eq(verbs[lhs] or verb, verb, lhs .. ' means one thing')
        verbs[lhs] = verb
        t.ok(require('brummer.actions').verbs[verb], verb)
      end
    end
  end)

  test('keys can be removed and moved, all or single ones', function(child)
    local c = child({ config = { keys = { x = false, gs = 'restart' } } })
    c:open_log()
    local function mapped(lhs)
      return c:lua("return vim.fn.maparg(..., 'n', false, true).buffer == 1", lhs)
    end
    t.eq({ mapped('x'), mapped('r'), mapped('gs'), mapped('<CR>') }, { false, false, true, true })
    local none = child({ config = { keys = false } })
    none:open_log()
    t.eq(none:lua("return #vim.api.nvim_buf_get_keymap(0, 'n')"), 0)
  end)

  test('g? lists the keys, q closes, also the last window', function(child)
    local c = child()
    c:open_log()
    c:type('g?')
    t.has(c:screen(), '<CR>      go to the place or log of the line')
    c:type('q')
    t.eq(name(c), 'brummer://logs/dev')
    c:cmd('only')
    c:type('q')
    t.eq(#c:lua('return vim.api.nvim_list_wins()'), 1)
    t.ok(name(c) ~= 'brummer://logs/dev')
  end)
end
