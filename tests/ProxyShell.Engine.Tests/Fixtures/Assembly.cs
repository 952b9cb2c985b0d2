// suites count descriptors and connections of the whole process
[assembly: CollectionBehavior(DisableTestParallelization = true)]
