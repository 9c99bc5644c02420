"""A Faust channel whose queue a rebalance of Faust's own group neither clears nor cancels."""

from typing import Any

import faust
from mode.utils.queues import FlowControlEvent, ThrowableQueue


class BatchChannel(faust.Channel[Any]):
    """Carries batches from a source that owns its offsets to an agent.

    A plain `app.channel()` hangs on the app's flow control: when Faust's own consumer group rebalances, the queue is
    cleared and a waiting `put` is cancelled, so batches vanish and their source dies unseen. This queue has a flow
    control of its own that nobody ever suspends.
    """

    @property
    def queue(self) -> ThrowableQueue[Any]:
        if self._queue is None:
            self._queue = ThrowableQueue(
                maxsize=self.maxsize or 1, flow_control=FlowControlEvent(initially_suspended=False)
            )
        return self._queue
