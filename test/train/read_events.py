"""Reads event files with TensorBoard's own parser and prints what is in them as JSON."""
import json, sys
from tensorboard.backend.event_processing.event_file_loader import EventFileLoader
from tensorboard.plugins.hparams import plugin_data_pb2
from tensorboard.compat.proto import graph_pb2
from tensorboard.util import tensor_util

found = []
for event in EventFileLoader(sys.argv[1]).Load():
    if event.file_version:
        found.append({"version": event.file_version})
    for v in event.summary.value:
        plugin = v.metadata.plugin_data.plugin_name
        entry = {"tag": v.tag, "step": event.step, "plugin": plugin}
        if plugin == "hparams":
            data = plugin_data_pb2.HParamsPluginData()
            data.ParseFromString(v.metadata.plugin_data.content)
            if data.HasField("experiment"):
                entry["experiment"] = [[i.name, i.type] for i in data.experiment.hparam_infos] + [m.name.tag for m in data.experiment.metric_infos]
            if data.HasField("session_start_info"):
                entry["start"] = {k: getattr(x, x.WhichOneof("kind")) for k, x in sorted(data.session_start_info.hparams.items())}
            if data.HasField("session_end_info"):
                entry["end"] = data.session_end_info.status
        elif plugin == "graphs":
            graph = graph_pb2.GraphDef()
            graph.ParseFromString(tensor_util.make_ndarray(v.tensor).flatten()[0])
            shape = lambda n: [d.size for d in n.attr["_output_shapes"].list.shape[0].dim]
            entry = {"graph": [[n.name, n.op, list(n.input), shape(n)] for n in graph.node]}
        else:
            array = tensor_util.make_ndarray(v.tensor)
            if plugin == "images":
                entry["size"] = [int(array[0]), int(array[1])]
                entry["png"] = array[2][:4].hex()
            elif plugin == "text":
                entry["text"] = [t.decode() for t in array.flatten().tolist()]
            else:
                entry["value"] = array.tolist()
        found.append(entry)
print(json.dumps(found))
