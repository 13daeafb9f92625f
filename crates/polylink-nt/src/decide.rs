//! What NT does with a request: the action, or the status that refuses it.
