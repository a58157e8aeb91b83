"""`crossfade demo`: the whole program at work on this machine, against the stand-in for the platform.

The modules: `material` reads what is sent, `watched` runs the platform and remembers what it heard and said, `stage`
puts platform and proxy up and takes them down, `curl` runs the examples, `sides` shows both sides of one, `traffic`
makes calls, `findings` reads the proxy's log and metrics, `live` shows them, `rollout` takes one caller through the stages,
`run` is the order of it all.
"""
