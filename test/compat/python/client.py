"""confluent-kafka (librdkafka) as the compat suite drives it.

client.py produce BOOTSTRAP TOPIC FIRST COUNT          values "v<n>", idempotent; prints how many were acked
client.py consume BOOTSTRAP TOPIC GROUP COUNT          prints "partition offset value" a record, commits, leaves
"""

import sys

from confluent_kafka import Consumer, KafkaException, Producer


def produce(bootstrap, topic, first, count):
    failures = []
    acked = 0

    def delivered(error, _message):
        nonlocal acked
        if error is None:
            acked += 1
        else:
            failures.append(str(error))

    producer = Producer({"bootstrap.servers": bootstrap, "enable.idempotence": True})
    for n in range(first, first + count):
        while True:
            try:
                producer.produce(topic, key=f"k{n}", value=f"v{n}", on_delivery=delivered)
                break
            except BufferError:
                producer.poll(1)
        producer.poll(0)
    producer.flush()
    if failures:
        raise SystemExit(failures[0])
    print(acked)


def consume(bootstrap, topic, group, count):
    consumer = Consumer(
        {
            "bootstrap.servers": bootstrap,
            "group.id": group,
            "auto.offset.reset": "earliest",
            "enable.auto.commit": False,
        }
    )
    consumer.subscribe([topic])
    seen = {}
    out = []
    while len(out) < count:
        for message in consumer.consume(min(1000, count - len(out)), timeout=1):
            if message.error():
                raise KafkaException(message.error())
            seen[message.partition()] = message.offset()
            out.append(f"{message.partition()} {message.offset()} {message.value().decode()}")
    from confluent_kafka import TopicPartition

    offsets = [TopicPartition(topic, p, o + 1) for p, o in seen.items()]
    for committed in consumer.commit(offsets=offsets, asynchronous=False):
        if committed.error:
            raise KafkaException(committed.error)
    consumer.close()
    print("\n".join(out))


if __name__ == "__main__":
    action, *rest = sys.argv[1:]
    if action == "produce":
        produce(rest[0], rest[1], int(rest[2]), int(rest[3]))
    else:
        consume(rest[0], rest[1], rest[2], int(rest[3]))
